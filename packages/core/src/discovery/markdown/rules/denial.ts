const negatedBefore = new RegExp(
  [
    // "no X", "neither X nor", "without any X": X up to five words later.
    String.raw`\b(?:no|neither|nor|without)(?:\s+\(?[\w'’/-]+\)?){0,4}\s*$`,
    // "no `x` (X, Y …": what stands in the parenthesis, too.
    String.raw`\b(?:no|without)\s+(?:[\w'’/-]+\s+){0,3}[\w'’/-]+\s*\((?:[^().;]|\.\S){0,80}$`,
    // "Do not send X".
    String.raw`\b(?:do(?:n['’]t|\s+not)|never|must(?:n['’]t|\s+not)|should(?:n['’]t|\s+not)|no need to)\s+(?:send|include|attach|add|set|pass|use|try|expect|call|invent|request|present|supply)\b(?:\s+[\w'’/-]+){0,3}\s*$`,
    // "no X, Y or Z": the list goes on.
    String.raw`\b(?:no|neither|without)\s[^.;:()]{0,120}(?:,|\bor\b|\bnor\b)\s*(?:(?:or|nor)\s+)?(?:[\w'’/-]+\s+){0,3}$`,
    // "supports bearer tokens, not X".
    String.raw`[,(]\s*(?:and\s+)?not\s+(?:[\w'’/-]+\s+){0,3}$`,
    // "does not offer …".
    String.raw`\b(?:does|do|did|is|are|has|have)(?:n['’]t|\s+not)\s+(?:(?:currently|yet|today|now|also)\s+)?(?:offer|support|advertise|publish|expose|provide|use|carry|return|implement|accept|have|include|issue|require|need|run|allow|permit|operate)\w*\b(?:[^.;]|\.\S){0,100}$`,
    // The same in Spanish and Portuguese, French, German.
    String.raw`\b(?:no|não)\s+(?:se\s+)?(?:publica|exist|hay|há|ofrece|oferece|soporta|suporta|admite|tiene|tem)\w*(?:[^.;]|\.\S){0,200}$`,
    String.raw`\b(?:ne\s+\w+\s+(?:pas|aucun)|n['’]\w+\s+(?:pas|aucun)|aucune?)\b(?:[^.;]|\.\S){0,100}$`,
    String.raw`\b(?:kein(?:e|en|er|es)?|nicht|weder)\b(?:[^.;]|\.\S){0,60}$`,
  ].join('|'),
  'i',
)
const negatedAfter =
  /^(?:,? \(?RFC ?\d+\)?,?)?[^.;,]{0,80}?\b(?:(?:is|are|was|were|do|does|has|have)(?:n['’]t|\s+not)\b[^.;,]{0,40}?\b(?:offer|support|availab|advertis|implement|enabl|expos|provid|accept|requir|live|carr|exist|return|issue)|not (?:offered|supported|available|applicable)|(?:intentionally |currently )?(?:disabled|unsupported|unavailable)|coming soon|planned|proposed|nicht|pas (?:pris|disponible))/i

/** "X, Y, and Z are not accepted": the list goes on before the denial. */
const negatedList =
  /^[^.;:]{0,140},? (?:and|or|nor) [^.;,:]{0,60}\b(?:is|are) not (?:\w+ )?(?:advertised|accepted|supported|offered|available|implemented|published|issued)\b/i

/** One of these words stands in every denial; looking for them first is cheap. */
const cue =
  /\bno|n['’]t\b|\bneither\b|\bwithout\b|\bunsupported\b|\bdisabled\b|\bunavailable\b|coming soon|\bplanned\b|\bproposed\b|\bnão\b|\bne\b|\bn['’]|\baucun|\bpas\b|\bkein|\bnicht\b|\bweder\b/i

/** Whether a clause says of the words from `start` to `end` that they are not so. */
export function isDenied(clause: string, start: number, end: number): boolean {
  const before = clause
    .slice(Math.max(0, start - 200), start)
    .replace(/\b([ei])\.([ge])\./g, '$1$2')
  const after = clause.slice(end, end + 200)
  if (!cue.test(before) && !cue.test(after)) return false
  return negatedBefore.test(before) || negatedAfter.test(after) || negatedList.test(after)
}

/** Whether a lead says that what is listed below it is not to be had: "Do not use these methods:". */
export function deniesList(lead: string): boolean {
  return /\b(?:(?:do not|don['’]t|never) (?:use|send|try|call)|not (?:currently )?(?:support|offer|availab|accept)\w*|unsupported)\b[^.]{0,80}:?\s*$/i.test(
    lead.slice(-200),
  )
}

/** "…; the other is." says nothing by itself. */
export function isElliptic(clause: string): boolean {
  return /\b(?:is|are|does|do)\W*$/i.test(clause)
}
