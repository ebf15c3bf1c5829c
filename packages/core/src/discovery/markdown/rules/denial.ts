const negatedBefore =
  /\b(?:no|neither|nor|without)(?:\s+\(?[\w'’/-]+\)?){0,4}\s*$|\b(?:does|do|did|is|are|has|have)(?:n['’]t|\s+not)\s+(?:(?:currently|yet|today|now)\s+)?(?:offer|support|advertise|publish|expose|provide|use|carry|return|implement|accept|have|include|issue|require|need)\w*\b[^.;]{0,100}$/i
const negatedAfter =
  /^[^.;,]{0,80}?\b(?:(?:is|are|was|were|do|does|has|have)(?:n['’]t|\s+not)\b[^.;,]{0,40}?\b(?:offer|support|availab|advertis|implement|enabl|expos|provid|accept|requir|live|carr|exist|return|issue)|not (?:offered|supported|available|applicable)|unsupported|unavailable|coming soon|planned|proposed)/i

/** One of these words stands in every denial; looking for them first is cheap. */
const cue =
  /\bno|n['’]t\b|\bneither\b|\bwithout\b|\bunsupported\b|\bunavailable\b|coming soon|\bplanned\b|\bproposed\b/i

/** Whether a clause says of the words from `start` to `end` that they are not so. */
export function isDenied(clause: string, start: number, end: number): boolean {
  const before = clause.slice(Math.max(0, start - 200), start)
  const after = clause.slice(end, end + 200)
  if (!cue.test(before) && !cue.test(after)) return false
  return negatedBefore.test(before) || negatedAfter.test(after)
}

/** "…; the other is." says nothing by itself. */
export function isElliptic(clause: string): boolean {
  return /\b(?:is|are|does|do)\W*$/i.test(clause)
}
