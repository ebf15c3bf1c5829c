import type { Statement } from '../statements.ts'
import { plain } from '../tokens.ts'

const negatedBefore = new RegExp(
  [
    // "no X", "neither X nor", "without any X": X up to five words later.
    String.raw`\b(?:no|neither|nor|without)(?:\s+\(?[\w'’/-]+\)?){0,4}\s*$`,
    // "no `x` (X, Y …": what stands in the parenthesis, too.
    String.raw`\b(?:no|without)\s+(?:[\w'’/-]+\s+){0,3}[\w'’/-]+\s*\((?:[^().;]|\.\S){0,80}$`,
    // "Do not send X".
    String.raw`\b(?:do(?:n['’]t|\s+not)|never|must(?:n['’]t|\s+not)|should(?:n['’]t|\s+not)|no need to)\s+(?:send|include|attach|add|set|pass|use|try|expect|call|invent|request|present|supply|attempt|probe|start|make|perform|follow|assume|guess)\b(?:\s+[\w'’/-]+){0,5}\s*$`,
    // "no X, Y or Z": the list goes on.
    String.raw`\b(?:no|neither|without)\s[^.;:()]{0,120}(?:,|\bor\b|\bnor\b)\s*(?:(?:or|nor)\s+)?(?:[\w'’/-]+\s+){0,3}$`,
    // "supports bearer tokens, not X".
    String.raw`[,(]\s*(?:and\s+)?not\s+(?:[\w'’/-]+\s+){0,3}$`,
    // "does not offer …".
    String.raw`\b(?:does|do|did|is|are|has|have)(?:n['’]t|\s+not)\s+(?:(?:currently|yet|today|now|also)\s+)?(?:offer|support|advertise|publish|expose|provide|use|carry|return|implement|accept|have|include|issue|require|need|run|allow|permit|operate|create|mint|grant|host|define|expect|document|serve)\w*\b(?:[^.;]|\.\S){0,100}$`,
    // "does not issue X", where X begins with the verb: the "not" stands right before it.
    String.raw`\b(?:do|does|did|can|could|will|would)(?:n['’]t|not|\s+not)\s+(?:(?:currently|yet|today|now|also|itself)\s+)?$`,
    // "The absence of X is deliberate".
    String.raw`\b(?:absence|lack) of\s+(?:[\w'’/-]+\s+){0,3}$`,
    // "Still missing: X, Y and Z".
    String.raw`\b(?:still|currently) missing:(?:[^.;]|\.\S){0,160}$`,
    // The same in Spanish and Portuguese, French, German.
    String.raw`\b(?:no|não)\s+(?:se\s+)?(?:publica|exist|hay|há|ofrece|oferece|soporta|suporta|admite|tiene|tem)\w*(?:[^.;]|\.\S){0,200}$`,
    String.raw`\b(?:ne\s+\w+\s+(?:pas|aucun)|n['’]\w+\s+(?:pas|aucun)|aucune?)\b(?:[^.;]|\.\S){0,100}$`,
    String.raw`\b(?:kein(?:e|en|er|es)?|nicht|weder)\b(?:[^.;]|\.\S){0,60}$`,
    // … and Russian, whose letters are none to \b.
    String.raw`(?:^|[\s(])(?:нет|без|не\s+(?:публику|поддержива|предусм|предоставл|выда|требу|использу)[а-яё]*)(?:[^.;:]|\.\S){0,100}$`,
  ].join('|'),
  'i',
)
const negatedAfter =
  /^(?:,? \(?RFC ?\d+\)?,?)?[^.;,]{0,80}?\b(?:(?:is|are|was|were|do|does|has|have)(?:n['’]t|\s+not)\b[^.;:,]{0,40}?\b(?:offer|support|availab|advertis|implement|enabl|expos|provid|accept|requir|live|carr|exist|return|issue)|not (?:offered|supported|available|applicable)|(?:intentionally |currently )?(?:absent|disabled|unsupported|unavailable)|coming soon|planned|proposed|nicht|pas (?:pris|disponible))/i
const negatedAfterInRussian =
  /^[^.;]{0,140}\sне (?:публику|поддержива|предусм|предоставл|доступ|требу|использу|выда)/i

/** "X is supported; Y is not." */
const negatedAtEnd = /^[^.;,]{0,60}\b(?:is|are|does|do)(?:n['’]t| not)\W*$/i

/** "X, Y, and Z are not accepted": the list goes on before the denial. */
const negatedList =
  /^[^.;:]{0,140},? (?:and|or|nor) [^.;:]{0,60}\b(?:is|are) not (?:\w+ )?(?:advertised|accepted|supported|offered|available|implemented|published|issued)\b/i

/** One of these words stands in every denial; looking for them first is cheap. */
const cue =
  /\bno|n['’]t\b|\bneither\b|\bwithout\b|\bmissing\b|\babsence\b|\black\b|\bunsupported\b|\babsent\b|\bdisabled\b|\bunavailable\b|coming soon|\bplanned\b|\bproposed\b|\bnão\b|\bne\b|\bn['’]|\baucun|\bpas\b|\bkein|\bnicht\b|\bweder\b|(?:^|[\s(])(?:не|нет|без)\s/i

/** Whether a clause says of the words from `start` to `end` that they are not so. */
export function isDenied(clause: string, start: number, end: number): boolean {
  // What lies inside a word is as the word is.
  const before = within(clause.slice(Math.max(0, start - 200), start)).replace(
    /[\w·:-]*[·:_-]$/,
    '',
  )
  const after = within(clause.slice(end, end + 200))
  if (!cue.test(before) && !cue.test(after)) return false
  return (
    negatedBefore.test(before) ||
    [negatedAfter, negatedAtEnd, negatedList, negatedAfterInRussian].some((words) =>
      words.test(after),
    )
  )
}

/** Marks inside a word (`auth.md`, `urn:x`, "e.g.") end no part of a sentence. */
function within(text: string): string {
  return text.replace(/\b([ei])\.([ge])\./g, '$1$2').replace(/[.:](?=[\w/`])/g, '·')
}

/** Whether a lead says that what is listed below it is not to be had: "Do not use these methods:". */
function deniesList(lead: string): boolean {
  return /\b(?:(?:do not|don['’]t|never) (?:use|send|try|call)|not (?:currently |yet )?(?:support|offer|availab|accept|implement|publish)\w*|unsupported|(?:what['’]s|what is|still|are) missing)\b(?:[^.]|\.\S){0,80}:?\s*$/i.test(
    lead.slice(-200),
  )
}

/** An item below "Do not use these:" or "What is not offered", or a row that ends with "no". */
export function saysNo({ kind, cells, lead = '', headings }: Statement): boolean {
  const listed = kind === 'item' || kind === 'row'
  if (listed && (deniesList(lead) || headsAbsent.test(headings.at(-1) ?? ''))) return true
  return /^\s*(?:no|not (?:supported|offered|available)|unsupported|—?\s*not applicable|✗|❌)\s*\.?\s*$/i.test(
    plain(cells?.at(-1) ?? []),
  )
}

const headsAbsent =
  /\b(?:not (?:supported|offered|published|provided|available|exposed|implemented)|absent|unsupported|out of scope|missing|road ?map|coming soon|planned|not yet)\b/i

/** A section about what is not there yet: by its heading, or because it says so of its addresses. */
export function isPlanned({ headings, section }: Statement): boolean {
  return headsPlanned.test(headings.at(-1) ?? '') || placeholders.test(section.text)
}

const headsPlanned =
  /^\W*(?:planned|upcoming|coming soon|future|reserved|not yet)\b|\b(?:road ?map|coming soon|under construction|\((?:planned|future|not yet \w+)\))\W*$/i
const placeholders =
  /\b(?:these|those|the|all|both)\b[^.;]{0,40}\b(?:endpoints?|addresses|routes?|paths?|URLs?)\b[^.;]{0,20}\b(?:are|is)\b[^.;]{0,40}\b(?:placeholders?|reserved|not (?:yet )?(?:live|deployed|implemented))\b/i

/** "…; the other is." says nothing by itself. */
export function isElliptic(clause: string): boolean {
  return /\b(?:is|are|does|do)\W*$/i.test(clause)
}
