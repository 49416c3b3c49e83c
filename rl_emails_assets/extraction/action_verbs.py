"""The verbs that make a sentence a request."""

ACTIONS = frozenset(
    """accept acknowledge add adjust advise allow analyse analyze answer apply appoint approve arrange ask assign
    assist attach attend authorize back book bring build buy calculate call cancel change charge check choose
    circulate clarify clean clear close collect comment compare compile complete confirm connect consider contact
    convert coordinate copy correct create deal decide define delete deliver describe design determine develop
    direct discuss distribute download draft drop e-mail edit email enable ensure enter establish evaluate examine
    execute expand explain extend fax file fill finalize find finish fix fly follow forward gather get give go grab
    hand handle
    help hold identify implement include incorporate inform input insert install introduce investigate invite
    issue join keep leave let list look mail make mark meet modify move notify obtain open order organize outline
    pass pay phone pick place plan post prepare present print proceed process produce proofread propose provide
    publish pull purchase push put raise read reboot recommend reconcile record redo refer register release remind
    remove renew rent reply report request reschedule research resend reserve resolve respond restart restore return
    review revise rewrite ring rsvp run save scan schedule secure select sell send set settle share ship show sign
    sort speak specify start stop store submit subscribe suggest summarize supply support swap switch take talk tell
    test text throw track transfer translate try turn type update upload use verify visit vote wait walk watch wire
    work write""".split()  # noqa: SIM905
)
"""Base forms of verbs that name something one person can do for another."""

IMPERATIVES = frozenset(
    """add adjust advise allocate approve arrange ask attach book bring buy calculate call cancel change check
    circulate clarify compile complete confirm coordinate copy correct create delete deliver discuss distribute
    draft e-mail email ensure explain fax file fill finalize find finish fix follow forward get give go include
    inform investigate invite keep mail make meet move notify pass pay pick plan prepare print provide pull put
    read remind remove reply report reschedule resend reserve respond review revise scan schedule send set share
    sign submit take tell text try update write""".split()  # noqa: SIM905
)
"""Verbs that, opening a sentence, are far more often an order than a noun."""

NOUN_LIKE = frozenset(
    """book call change check copy draft e-mail email fax file fix mail meet move note notice pay plan print report run
    scan schedule sign text update""".split()  # noqa: SIM905
)
"""Of these, those that open a headline or a label as often; they need an object right behind them."""

PROMISED = ACTIONS - frozenset("back go drop hold leave open pull stop turn visit vote wait walk watch".split())  # noqa: SIM905
"""Verbs of a promise worth keeping track of; "I'll go" and "we'll wait" promise nothing to anybody."""
