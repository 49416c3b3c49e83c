"""The generator's words: topics with their own things and actions, sentence templates with slots, names and places.

A template's slots are names in braces; "thing", "part" and "act" come from the message's topic, so that mail of one
topic is alike in meaning and mail of two topics is not.
"""

TOPICS: dict[str, dict[str, str]] = {
    "roof": {
        "thing": "the roof|the scaffold|the gutter|the chimney|the skylight|the attic|the ridge beam|the insulation",
        "part": "tiles|flashing|timber|nails|membrane|slates|brackets|downpipes",
        "act": "repair|inspect|seal|measure|replace|strip|insulate|repaint",
    },
    "payroll": {
        "thing": "the payroll run|the payslips|the pension file|the overtime sheet|the tax return|the bonus round",
        "part": "allowances|deductions|tax codes|timesheets|hourly rates|sick days|contributions",
        "act": "approve|correct|submit|reconcile|recalculate|export|close",
    },
    "orchard": {
        "thing": "the orchard|the cider press|the harvest|the cold store|the seedlings|the irrigation|the beehives",
        "part": "apples|pears|crates|pruning shears|blossom|barrels|frost nets|honey jars",
        "act": "prune|pick|press|water|label|bottle|graft|store",
    },
    "search": {
        "thing": "the search service|the index|the query planner|the ranking model|the crawler|the cache layer",
        "part": "shards|stack traces|latency graphs|feature flags|unit tests|replicas|log lines",
        "act": "deploy|roll back|profile|refactor|benchmark|migrate|restart|patch",
    },
    "clinic": {
        "thing": "the clinic rota|the vaccine fridge|the waiting room|the referral letter|the blood results|the ward",
        "part": "prescriptions|appointments|lab samples|bandages|dosages|patient notes|test kits",
        "act": "reschedule|refer|sterilize|review|order|examine|discharge",
    },
    "choir": {
        "thing": "the choir concert|the rehearsal|the programme|the church hall|the pianist|the second soprano part",
        "part": "scores|tickets|music stands|solos|robes|microphones|posters",
        "act": "rehearse|transpose|record|cancel|sing|print|tune",
    },
    "lorry": {
        "thing": "the delivery fleet|the warehouse|the customs form|the loading bay|the pallet count|the night route",
        "part": "pallets|containers|seals|drivers|waybills|forklifts|trailers",
        "act": "dispatch|reroute|unload|weigh|clear|track|refuel",
    },
    "thesis": {
        "thing": "the thesis chapter|the survey data|the literature review|the seminar|the grant proposal|the appendix",
        "part": "citations|footnotes|regressions|interviews|figures|hypotheses|reviewers",
        "act": "revise|cite|proofread|submit|replicate|annotate|present",
    },
    "contract": {
        "thing": "the lease|the licence agreement|the indemnity clause|the settlement|the purchase contract|the appeal",
        "part": "signatures|schedules|warranties|amendments|notices|penalties|recitals",
        "act": "sign|negotiate|redline|terminate|countersign|renew|witness",
    },
    "school": {
        "thing": "the school trip|the parents' evening|the reading group|the sports day|the lunch menu|the class photo",
        "part": "consent forms|wellies|packed lunches|homework books|swimming bags|library cards",
        "act": "return|chaperone|collect|enrol|remind|excuse|practise",
    },
    "kitchen": {
        "thing": "the kitchen refit|the new menu|the oven|the catering order|the tasting|the wine list",
        "part": "worktops|recipes|hinges|saucepans|spices|napkins|invoices from the butcher",
        "act": "fit|taste|season|bake|clean|price|serve",
    },
    "hiking": {
        "thing": "the hiking trip|the mountain hut|the ferry crossing|the rental car|the campsite|the coastal path",
        "part": "boots|maps|rain jackets|passports|bunk beds|train tickets|trail snacks",
        "act": "book|pack|hike|split the cost of|postpone|photograph|plan",
    },
    "fund": {
        "thing": "the fund report|the credit line|the hedge|the quarterly forecast|the bond auction|the board paper",
        "part": "yields|covenants|margins|exposures|spreads|dividends|assumptions",
        "act": "rebalance|audit|forecast|value|disclose|refinance|underwrite",
    },
    "museum": {
        "thing": "the exhibition|the loan agreement|the display case|the audio guide|the restoration|the opening night",
        "part": "captions|sketches|lenders|climate readings|frames|postcards|crates of glass",
        "act": "hang|catalogue|insure|restore|light|photograph|return",
    },
    "turbine": {
        "thing": "the turbine|the gearbox|the blade survey|the substation|the grid connection|the test rig",
        "part": "bearings|vibration data|bolts|sensors|cables|hydraulic hoses|drone pictures",
        "act": "commission|grease|inspect|ramp up|isolate|recalibrate|shut down",
    },
    "campaign": {
        "thing": "the spring campaign|the landing page|the press kit|the trade fair|the brand guide|the product video",
        "part": "headlines|leads|banners|keywords|influencers|giveaways|conversion numbers",
        "act": "launch|translate|test|brief|sponsor|shoot|publish",
    },
}

SHARED: dict[str, str] = {
    "day": "Monday|Tuesday|Wednesday|Thursday|Friday|tomorrow|next week|the 14th|the end of the month|noon on Friday",
    "who": "Ana|Bertil|Chidi|Dora|Emre|Fatou|Goran|Hilde|Imran|Jutta|Kofi|Leila|Milan|Noor|Otto|Pilar|Quentin|Rosa",
    "adj": "late|ready|cheaper|broken|missing|urgent|better than expected|unclear|finished|heavier|too small|approved",
    "num": "2|3|4|5|6|7|8|9|11|12|14|15|18|20|24|30|36|40|48|60|75|90|120|150|200|240|350|500|800|1,200|2,500",
    "money": "£18.40|£64|£120|£275.50|£410|£960|£1,340|£2,895|£4,200|€35|€89.90|€640|€1,150|€7,300|$49|$520|$2,400",
    "place": "Leeds|Turku|Porto|Ghent|Malmo|Graz|Cork|Tartu|Nantes|Basel|Utrecht|Vigo|Aarhus|Brno|Trieste|Gdansk",
    "hour": "8:15|9:00|9:30|10:45|11:00|12:30|13:00|14:15|15:00|16:40|17:00|18:30",
    "mood": "honestly|luckily|sadly|frankly|as usual|for once|to my surprise|between us|strictly speaking",
}

PERSON_SENTENCES = """
Could you {act} {thing} before {day}?
I looked at {thing} again and the {part} are {adj}.
{who} says that we need {num} more {part} by {day}.
Can we meet in {place} on {day} at {hour} to talk about {thing}?
The quote for {thing} came to {money}, which is more than {who} expected.
Please send me the {part} so that I can {act} them on {day}.
I will {act} {thing} on {day} and let you know how it went.
{who} and I disagree about the {part}, and I would like to hear what you think.
We decided to {act} {thing} and to leave the {part} as they are.
Did you get the {part} that {who} sent from {place}?
As far as I can tell {thing} is {adj}, but somebody should check the {part}.
If nobody objects, {who} will {act} {thing} next.
There were {num} people at the meeting and every one of them asked about {thing}.
My train to {place} is at {hour}, so call me before that if {thing} is {adj}.
I am sorry for the slow answer, {thing} took all of last week.
It turned out that the {part} from {place} do not fit, and {who} had to {act} half of them.
Thanks for the {part}, they arrived on {day}.
{mood}, I expected {thing} to be {adj} by now.
What would it cost to {act} all {num} {part} at once?
The budget has {money} left for {thing} and not a penny more.
Let me know by {day} whether you want to {act} {thing} or wait for {who}.
{who} promised to bring the {part} to {place}.
Nothing is wrong with {thing} itself, only with the {part}.
Attached is a list of {num} {part}; the ones in bold are {adj}.
{mood}, nobody in {place} knows how to {act} {thing}.
We should not {act} anything until the {part} are checked.
I spoke to {who} at {hour} and the answer is yes, provided that we {act} the {part} first.
Remember that {thing} has to be {adj} by {day}, otherwise it costs us {money}.
"""

MACHINE_SENTENCES = """
Your order of {num} {part} has left our warehouse in {place}.
The total of {money} will be charged on {day}.
Build {num} of {thing} finished at {hour} with {num} warnings.
A new version of {thing} is available in {place}.
You are receiving this message because you follow {thing}.
{who} commented: the {part} are {adj}.
{who} assigned {thing} to {who}.
Reminder: {thing} in {place}, {day} at {hour}.
Save up to {num} percent on {part} until {day}.
This week we explain how to {act} {thing} with {num} {part} and a little patience.
Readers from {place} ask whether {thing} can be {adj} without new {part}.
Three things to know before you {act} {thing}: the {part}, the price and the weather.
Your statement shows {num} transactions and a balance of {money}.
A payment of {money} to {place} was received at {hour}.
Delivery is planned for {day} between {hour} and {hour}.
The invoice for {thing} is {adj} and amounts to {money}.
Our editor {who} went to {place} to see {thing} and came back with {num} {part}.
The survey among {num} members says that {part} matter more than {thing}.
Ticket {num} about {thing} changed from open to waiting.
There are {num} new {part} in your area, starting at {money}.
Opinion: why it is time to {act} {thing}, by {who}.
The service in {place} will be down on {day} from {hour}.
Please do not reply to this message.
Members save {money} on {part} this month.
"""

GERMAN_SENTENCES = """
Könnten Sie mir bis {tag} die Unterlagen zu {sache} schicken?
Leider ist {sache} noch nicht fertig, es fehlen {num} Teile.
Wir treffen uns am {tag} um {hour} Uhr in {place}.
Das Angebot über {money} gilt noch bis {tag}.
Ich habe mit {who} über {sache} gesprochen und melde mich wieder.
Vielen Dank für Ihre schnelle Antwort.
Die Rechnung über {money} liegt bei.
"""
GERMAN_WORDS: dict[str, str] = {
    "tag": "Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Monatsende|übermorgen",
    "sache": "die Prüfung|der Umzug|die Lieferung|das Gutachten|die Schulung|der Vertrag|die Übergabe|das Gerüst",
}

SUBJECTS = """
{thing}: {part} {adj}
question about {thing}
{part} for {thing}
{place}, {day}
can you {act} {thing}
{thing} in {place}
update on the {part}
{who} and {thing}
"""
MACHINE_SUBJECTS = """
Your {part} from {place}
[{place}-{num}] {thing} is {adj}
Order {num}-{num}: {part}
{num} percent off {part} until {day}
How to {act} {thing}
Payment of {money} received
Reminder: {thing}, {day} {hour}
Build {num}: {thing}
This week: {part}, {place} and {thing}
"""

FIRST_NAMES = [
    "Ada",
    "Bruno",
    "Carla",
    "Daan",
    "Elif",
    "Femi",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Katya",
    "Lars",
    "Mina",
    "Nils",
    "Olga",
    "Pavel",
    "Rana",
    "Stig",
    "Tova",
    "Umar",
    "Vera",
    "Wim",
    "Yara",
    "Zeno",
    "Abel",
    "Birgit",
    "Cato",
    "Dilan",
    "Edda",
    "Frode",
    "Gita",
    "Henrik",
    "Isla",
    "Jaro",
    "Kaisa",
    "Luca",
    "Maud",
    "Nadir",
    "Oona",
    "Piet",
    "Runa",
    "Silas",
    "Tuva",
]
LAST_NAMES = [
    "Abbott",
    "Berglund",
    "Costa",
    "Dahl",
    "Eriksen",
    "Fuchs",
    "Garnier",
    "Holm",
    "Ibarra",
    "Jansen",
    "Keller",
    "Lowe",
    "Moreau",
    "Novak",
    "Okoro",
    "Petrov",
    "Quist",
    "Rossi",
    "Sand",
    "Tamm",
    "Ueda",
    "Vidal",
    "Wolff",
    "Yilmaz",
    "Zeman",
    "Ashby",
    "Brandt",
    "Coyle",
    "Drost",
    "Ferro",
    "Grant",
    "Hale",
    "Iversen",
    "Joshi",
    "Krog",
    "Lund",
    "Mason",
    "Nagy",
    "Orban",
    "Pires",
    "Ruiz",
    "Soto",
    "Thorne",
    "Virtanen",
    "Ward",
]
FIRMS = [
    "alder",
    "birch",
    "cobalt",
    "delta",
    "ember",
    "fjord",
    "granite",
    "harbor",
    "iris",
    "juniper",
    "kestrel",
    "lantern",
    "maple",
    "nimbus",
    "osprey",
    "pebble",
    "quartz",
    "rowan",
    "saffron",
    "tundra",
    "umber",
    "violet",
    "willow",
    "xenon",
    "yarrow",
    "zephyr",
    "anchor",
    "bramble",
    "copper",
    "dune",
]
MACHINES = [
    "news",
    "orders",
    "billing",
    "build",
    "tracker",
    "alerts",
    "offers",
    "tickets",
    "calendar",
    "digest",
    "parcels",
    "club",
]
