// What is said in words: the table, the last answers, the last change, and the sentence for a screen reader.
const percent = (share) => `${Math.round(10 * share) / 10} %`;
const orDash = (value) => value ?? "–";

// The same text again would cost the browser a layout.
function write(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

function sharesWords(shares) {
  if (shares === null) return "no weights";
  const named = Object.entries(shares).sort();
  return named.length <= 2 ? percent(named.at(-1)[1]) : named.map(([v, share]) => `${v} ${percent(share)}`).join(", ");
}

function seenWords(change) {
  if (!change || change.number === 0) return "";
  const who = change.by === "you" ? "" : " (from elsewhere)";
  const what = `${sharesWords(change.before)} → ${sharesWords(change.after)}${who}`;
  if (change.seen_ms === null) return `${what}: not to be seen in the answers yet`;
  const requests = change.requests === 1 ? "1 answer" : `${change.requests} answers`;
  return `${what}: seen after ${change.seen_ms} ms, ${requests}`;
}

function podsWords(pods) {
  const named = Object.entries(pods ?? {}).sort();
  return named.length ? `Without weights, by the pods: ${named.map(([v, share]) => `${v} ${percent(share)}`).join(", ")}.` : "";
}

function fillTable(body, words, asked, styleOf) {
  const since = new Map(words.since.map((share) => [share.version, share]));
  const versions = [...new Set([...since.keys(), ...Object.keys(words.recent.versions)])].sort();
  while (body.rows.length > versions.length) body.deleteRow(-1);
  versions.forEach((version, i) => {
    const share = since.get(version);
    const [p50, p95, failed] = words.recent.versions[version] ?? [null, null, 0];
    const cells = [asked?.[version] === undefined ? "–" : percent(asked[version]), orDash(share?.count),
      share?.share == null ? "–" : percent(share.share),
      share?.share == null ? "–" : `${share.low.toFixed(1)} to ${share.high.toFixed(1)} %`,
      orDash(p50), orDash(p95), failed];
    const line = body.rows[i] ?? newRow(body, cells.length);
    paintChip(line.cells[0].firstChild, version, styleOf);
    cells.forEach((text, j) => write(line.cells[j + 1], text));
  });
}

function newRow(body, width) {
  const line = body.insertRow();
  const head = document.createElement("th");
  head.scope = "row";
  head.append(document.createElement("span"));
  line.append(head);
  for (let i = 0; i < width; i++) line.insertCell();
  return line;
}

function paintChip(chip, version, styleOf) {
  if (chip.textContent === version) return;
  const { color, ink } = styleOf(version);
  chip.className = "chip";
  chip.textContent = version;
  chip.style.background = color;
  chip.style.color = ink;
}

function fillLast(place, last, styleOf) {
  while (place.children.length > last.length) place.lastChild.remove();
  last.forEach(([version, failed, text], i) => {
    const line = place.children[i] ?? newAnswer(place);
    paintChip(line.firstChild, version, styleOf);
    write(line.lastChild, failed ? ` failed: ${text}` : ` ${text}`);
  });
}

function newAnswer(place) {
  const line = place.appendChild(document.createElement("span"));
  line.append(document.createElement("span"), document.createTextNode(""));
  return line;
}

function spokenWords(store) {
  const after = lastChange(store)?.after;
  const asked = after ? `${sharesWords(after)} asked for` : "no weights set";
  const shares = store.words.since.filter((share) => share.share !== null);
  const seen = shares.map((share) => `${share.version} ${share.share} percent`).join(", ") || "no answers yet";
  const { failed } = store.words.recent;
  return `${asked}; answers: ${seen}${failed ? `; ${failed} requests failed` : ""}.`;
}
