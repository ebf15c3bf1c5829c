import type { CredentialView, DamagedRecord, Outcome, RegistrationView, Tried } from '@authmd/core'
import { exitOf, exits } from './exit.ts'
import { nextOf } from './next.ts'
import type { Result } from './screen.ts'
import { columns, line, plainLines, quoted, time, words } from './text.ts'

const maxListed = 50

/** An outcome as the end of a command. */
export function resultOf(outcome: Outcome, more: Readonly<Record<string, unknown>> = {}): Result {
  const next = nextOf(outcome)
  const ends = /^none\b/.test(next)
  return {
    exit: exitOf(outcome),
    data: { outcome, ...(ends ? {} : { next }), ...more },
    lines: [...sentences(outcome), ...(ends ? [] : [`Next: ${next}`])],
  }
}

/** The end of a command that lists, where some of the store could not be read: what it says is not all there is. */
export function lossy(result: Result, damaged: readonly DamagedRecord[]): Result {
  if (damaged.length === 0) return result
  const ids = damaged.map(({ id }) => line(id, 80)).slice(0, 10)
  const said = `${damaged.length} of the records in the store cannot be read, and are left as they are: there may be more than is said here. ${ids.join(', ')}`
  return {
    exit: exits.fault,
    data: { ...result.data, damaged },
    lines: [...result.lines, said],
  }
}

function sentences(outcome: Outcome): readonly string[] {
  return [
    ...body(outcome),
    ...(outcome.changes ?? []).slice(0, 5).map((change) => {
      return `The service has changed; this registration stays with what it began with: ${words(change)}`
    }),
  ]
}

function body(outcome: Outcome): readonly string[] {
  switch (outcome.status) {
    case 'found':
      return found(outcome)
    case 'ready': {
      const { handle, kind, audience } = outcome.credential
      const where = line(audience.join(', '))
      return kind === 'none'
        ? [`${outcome.service} needs no credential for requests below ${where}.`]
        : [`Held in the vault: ${handle}, for requests below ${where} and nowhere else.`]
    }
    case 'needs_consent':
      return [
        'A person must agree to this first. Nothing of it was done.',
        ...outcome.action.summary.split('\n').map((text) => `  ${line(text, 4_000)}`),
      ]
    case 'needs_person': {
      const { text, url, code, until } = outcome.need
      return [
        ...(outcome.notice === undefined ? [] : [line(outcome.notice)]),
        `A person is needed: ${line(text)}`,
        ...(url === undefined ? [] : [`Page: ${line(url, 2_000)}`]),
        ...(code === undefined ? [] : [`Code to type there: ${line(code, 60)}`]),
        ...(until === undefined ? [] : [`Good until ${time(until)}.`]),
      ]
    }
    case 'needs_answer':
      return [
        ...(outcome.notice === undefined ? [] : [line(outcome.notice)]),
        `The service asks a puzzle before it lets anybody in. The answer is ${line(outcome.form)}.`,
        ...quoted(outcome.problem, 2_000),
      ]
    case 'pending':
      return [line(outcome.reason), `Not before ${time(outcome.notBefore)}.`]
    case 'uncertain':
      return [
        `It is in doubt whether ${line(outcome.request)} was done. ${line(outcome.check)}`,
        ...orphans(outcome.orphans),
      ]
    case 'refused': {
      const http = outcome.httpStatus === undefined ? '' : ` (HTTP ${outcome.httpStatus})`
      return [
        line(`Refused, ${outcome.code}${http}: ${outcome.reason}`),
        ...(outcome.payment ?? []).map(({ protocol, ...terms }) => {
          const all = Object.entries(terms).map(([name, value]) => `${name} ${value}`)
          return `It asks for a payment by ${line(protocol, 60)}: ${words(all.join(', '), 600)}`
        }),
        ...(outcome.errors ?? []).slice(0, 5).map(({ code, title, detail }) => {
          const said = [code, title, detail].filter((part) => part !== undefined)
          return `The service says: ${words(said.join(': '), 600)}`
        }),
        ...(outcome.notBefore === undefined ? [] : [`Not before ${time(outcome.notBefore)}.`]),
      ]
    }
    case 'answered':
      return outcome.answer.body === '' ? [] : plainLines(outcome.answer.body)
    case 'ended':
      return [
        line(outcome.reason),
        ...(outcome.url === undefined
          ? []
          : [`A person can end it at ${line(outcome.url, 2_000)}`]),
      ]
  }
}

function found(outcome: Extract<Outcome, { status: 'found' }>): readonly string[] {
  const { offers, because, warnings, credentials, registrations, service = '' } = outcome
  const ways = offers.length === 1 ? 'one way' : `${offers.length} ways`
  return [
    offers.length === 0
      ? `${service} offers no way in that an agent can go.`
      : `${service} lets an agent in by ${ways}, the best first:`,
    ...columns(
      offers
        .slice(0, maxListed)
        .map(({ method, summary, needs }) => [
          line(method, 60),
          `${line(summary)} Needs: ${needs.join(', ')}.`,
        ]),
    ),
    ...(because === undefined ? [] : [`Why in this order: ${line(because)}`]),
    ...held(credentials, registrations),
    ...warnings.slice(0, 5).map((warning) => `Note: ${words(warning)}`),
  ]
}

/** What is held and what runs. */
export function held(
  credentials: readonly CredentialView[],
  registrations: readonly RegistrationView[],
): readonly string[] {
  const one = (it: CredentialView) => [
    it.handle,
    line(it.service, 200),
    it.state,
    it.method,
    `since ${time(it.issuedAt)}${it.lastUsedAt === undefined ? '' : `, last used ${time(it.lastUsedAt)}`}${it.parent === undefined ? '' : `, from an answer to ${it.parent}`}`,
  ]
  return [
    ...(credentials.length === 0 ? [] : ['Held:']),
    ...columns(credentials.slice(0, maxListed).map(one)),
    ...(registrations.length === 0 ? [] : ['Under way:']),
    ...columns(
      registrations
        .slice(0, maxListed)
        .map(({ id, service, method, state, createdAt }) => [
          id,
          line(service, 200),
          line(method, 60),
          `${state}, since ${time(createdAt)}`,
        ]),
    ),
    ...registrations.flatMap((it) => orphans(it.orphans)),
  ]
}

function orphans(list: readonly { readonly what: string; readonly url?: string }[]) {
  return list.slice(0, 20).map(({ what, url }) => {
    return line(`May exist at the service: ${what}${url === undefined ? '' : `, see ${url}`}`)
  })
}

/** Every address that discovery asked. */
export function tried(all: readonly Tried[]): readonly string[] {
  if (all.length === 0) return []
  const rows = all
    .slice(0, maxListed)
    .map(({ url, status, verdict, mediaType }) => [
      status === undefined ? '---' : `${status}`,
      line(mediaType ?? '', 40),
      line(url, 300),
      line(verdict, 200),
    ])
  return ['What was tried:', ...columns(rows)]
}
