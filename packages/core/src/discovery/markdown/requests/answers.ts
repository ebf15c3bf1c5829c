import type { DescribedAnswer } from '../../profile.ts'

/** Names of fields that hold a credential, the likeliest first. */
const names: readonly RegExp[] = [
  /^(?:[a-z]+_)?api_?key$/i,
  /^(?!public)[a-z]+_key$/i,
  /^(?:access_?token|bearer_?token|api_?token|auth_?token|agent_?token|session_?token)$/i,
  /^client_?secret$/i,
  /^(?:token|jwt|api_?secret|secret_?key|private_?key|access_?key)$/i,
  /^(?:key|secret|credential|password)$/i,
]

/** Which of an answer's fields is the credential, by its name. */
export function credentialIn(fields: readonly string[]): string | undefined {
  for (const pattern of names) {
    const found = fields.find((field) => pattern.test(field.split('.').at(-1) ?? ''))
    if (found !== undefined) return found
  }
  return undefined
}

/** "Shown once", "cannot be retrieved again", "save it now". */
export function saysOnce(text: string): boolean {
  return (
    /\b(?:shown|displayed|returned|visible|revealed|given|available|appears|delivered|printed|disclosed|seen|issued|se muestra|affichée?)\b[^.!?]{0,40}\b(?:only |exactly |just )?(?:once|one time|una (?:sola )?vez|une (?:seule )?fois)\b/i.test(
      text,
    ) ||
    /\b(?:only|exactly) (?:shown|displayed|returned|available|visible|given) (?:once|one time|this time|at creation)\b|\bone[- ]time (?:display|reveal)\b/i.test(
      text,
    ) ||
    /\b(?:cannot|can['’]?t|can not|won['’]t|will not|never|not) (?:be )?(?:\w+ )?(?:retrieved?|recover(?:ed|able)?|shown?|displayed?|returned?|see(?:n)?|viewed?|read|get it)\b[^.!?]{0,40}\b(?:again|later|twice)\b/i.test(
      text,
    ) ||
    /\b(?:cannot|can['’]?t) be (?:recovered|retrieved)\b|\b(?:save|store|copy|keep) (?:it|this|your (?:api )?key|the (?:api )?key|your token|the token)\b[^.!?]{0,40}\b(?:now|immediately|right away|again)\b/i.test(
      text,
    )
  )
}

/** The status that a text names for an answer: "HTTP/1.1 201", "Response (200)", "201 Created". */
export function statusIn(text: string): number | undefined {
  const found = /(?:^|\bHTTP(?:\/[\d.]+)?\s|[\s(`*])(2\d\d)\b/.exec(text.slice(0, 300))?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Two descriptions of one answer as one. */
export function mergeAnswers(
  one: DescribedAnswer | undefined,
  other: DescribedAnswer,
): DescribedAnswer {
  if (!one) return other
  const fields = [...new Set([...one.fields, ...other.fields])].slice(0, 60)
  const status = one.status ?? other.status
  const credential = one.credential ?? other.credential ?? credentialIn(fields)
  return {
    fields,
    line: one.fields.length > 0 ? one.line : other.line,
    ...(status !== undefined && { status }),
    ...(credential !== undefined && { credential }),
    ...((one.shownOnce || other.shownOnce) && { shownOnce: true as const }),
  }
}
