import { describe, expect, it } from 'vitest'
import { pastedKey } from './pasted-key.ts'

const wanted = {
  page: 'https://portal.vendor.test/#/app/api-keys',
  prefix: 'Bearer ',
  shown: '{"text":"Make a key at https://portal.vendor.test/#/app/api-keys"}',
}
const key = 'made-up-key-0123456789'

describe('what was surely pasted along is taken off', () => {
  it.each([
    ['nothing', key],
    ['a line end', `${key}\r\n`],
    ['white space', `  \t${key} `],
    ['double quotes', `"${key}"`],
    ['quotes and a line end', `'${key}'\n`],
    ['backticks', `\`${key}\``],
    ['the scheme', `Bearer ${key}`],
    ['the scheme in another case', `bearer   ${key}`],
    ['a header line', `Authorization: Bearer ${key}`],
    ['a quoted header', `"Authorization: Bearer ${key}"`],
  ])('%s', (_, pasted) => {
    expect(pastedKey(pasted, wanted)).toBe(key)
  })

  it('Bearer, also where the key stands bare in a header of its own', () => {
    expect(pastedKey(`Bearer ${key}`, { ...wanted, prefix: '' })).toBe(key)
  })
})

describe('what is no key is refused with the rule, never quoted', () => {
  it.each([
    ['a command', `curl https://api.vendor.test/v2/x -H "Authorization: Bearer ${key}"`, 'command'],
    ['the URL of the portal', 'https://portal.vendor.test/#/app/api-keys', 'URL'],
    ['that URL without its scheme', 'portal.vendor.test/#/app/api-keys', 'address'],
    ['the host of the API', 'api.vendor.test', 'address'],
    ['a mail address', 'kim@operator.test', 'e-mail'],
    ['a mask', 'KEY0•••••••••••1234', 'masked'],
    ['a placeholder', '<your-api-key>', 'placeholder'],
    ['a variable', '$VENDOR_API_KEY', 'variable'],
    ['a variable of another shell', '%VENDOR_API_KEY%', 'variable'],
    ['an assignment', `VENDOR_API_KEY="${key}"`, 'after the "="'],
    ['two lines', `${key}\n${key}`, 'one line'],
    ['a sentence', 'my key is the blue one', 'without spaces'],
    ['something short', 'abc', '8 to 8192'],
    ['something endless', 'a'.repeat(9_000), '8 to 8192'],
    ['a zero-width character', `made-up\u200b-key-0123456789`, 'ASCII'],
    ['a piece of the page', 'app/api-keys', 'no secret'],
  ])('%s', (_, pasted, rule) => {
    const refused = expect.objectContaining({
      code: 'secret_refused',
      message: expect.stringMatching(new RegExp(rule)),
    })
    let error: unknown
    try {
      pastedKey(pasted, wanted)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toEqual(refused)
    expect(JSON.stringify(error)).not.toContain(key)
  })
})

const madeUp = '0123456789MADEUP0123456789MADEUP0123456789'

describe('a key of another vendor is refused by its name', () => {
  it.each([
    ['Telnyx', `KEY0${madeUp}`],
    ['GitHub', `ghp_${madeUp}`],
    ['GitHub', `github_pat_${madeUp}`],
    ['GitLab', `glpat-${madeUp}`],
    ['Slack', `xoxb-${madeUp}`],
    ['AWS', 'AKIA0123456789MADEUP'],
    ['Google', `AIza${madeUp}`],
    ['Anthropic', `sk-ant-${madeUp}`],
    ['OpenRouter', `sk-or-${madeUp}`],
    ['OpenAI', `sk-${madeUp}`],
    ['OpenAI', `sk-proj-${madeUp}`],
    ['Stripe', `sk_live_${madeUp}`],
    ['SendGrid', `SG.${madeUp}.${madeUp}`],
    ['Hugging Face', `hf_${madeUp}`],
  ])('%s', (name, pasted) => {
    expect(() => pastedKey(`Bearer ${pasted}`, wanted)).toThrow(
      `it begins like a key of ${name}, and this is for vendor.test`,
    )
  })

  it('and taken at home', () => {
    const pasted = `ghp_${madeUp}`
    const page = 'https://github.com/settings/tokens'
    expect(pastedKey(pasted, { ...wanted, page })).toBe(pasted)
  })

  it.each([
    'https://github.com.evil.test/tokens',
    'https://github.evil.test/tokens',
    'https://githubbcom.test/tokens',
    'http://evil.localhost/tokens',
    'https://xn--gthub-n4a.com/tokens',
  ])('also where the page only looks like home: %s', (page) => {
    expect(() => pastedKey(`ghp_${madeUp}`, { ...wanted, page })).toThrow('a key of GitHub')
  })

  it('but an imitation in development may bear its name', () => {
    const page = 'http://portal.telnyx.localhost:4000/'
    expect(pastedKey(`KEY0${madeUp}`, { ...wanted, page })).toBe(`KEY0${madeUp}`)
  })
})
