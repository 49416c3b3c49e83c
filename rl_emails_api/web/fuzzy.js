// Fuzzy matching: the letters of the query in their order, better at the starts of words and in a row.

const plain = (text) => text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();

// How well the text matches, and where: null when a letter is missing. Each word of the query is matched by itself.
export function match(query, text) {
  const target = plain(text);
  const spans = [];
  let total = 0;
  for (const word of plain(query).split(/\s+/).filter(Boolean)) {
    const found = best(word, target);
    if (!found) return null;
    total += found.score;
    spans.push(...found.spans);
  }
  return { score: total - target.length / 200, spans };
}

function best(word, target) {
  const whole = target.indexOf(word);
  if (whole >= 0) {
    const isStart = whole === 0 || /[^\p{L}\p{N}]/u.test(target[whole - 1]);
    return { score: word.length * (isStart ? 4 : 2.5) + (whole === 0 ? 2 : 0), spans: [[whole, whole + word.length]] };
  }
  let score = 0;
  let at = -1;
  let misses = 0;
  const spans = [];
  for (const letter of word) {
    const next = target.indexOf(letter, at + 1);
    if (next < 0) return null;
    const isStart = next === 0 || /[^\p{L}\p{N}]/u.test(target[next - 1]);
    if (next !== at + 1 && !isStart) misses += 1;
    score += next === at + 1 ? 1.5 : isStart ? 1.6 : 0.2;
    if (spans.length && spans.at(-1)[1] === next) spans.at(-1)[1] = next + 1;
    else spans.push([next, next + 1]);
    at = next;
  }
  return misses <= word.length / 4 ? { score, spans } : null;
}

export function rank(query, items, textOf = (item) => item.text, most = 40) {
  if (!query.trim()) return items.slice(0, most).map((item) => ({ item, spans: [] }));
  return items
    .map((item) => ({ item, ...match(query, textOf(item)) }))
    .filter((each) => each.score !== undefined)
    .sort((a, b) => b.score + (b.item.weight || 0) - a.score - (a.item.weight || 0))
    .slice(0, most);
}
