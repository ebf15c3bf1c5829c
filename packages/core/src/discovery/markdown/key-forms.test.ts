import { expect, it } from 'vitest'
import { readDocument } from './read.ts'

function said(text: string): string[] {
  const { facts } = readDocument(`# Vendor for agents\n\n## API keys\n\n${text}\n`, {
    url: 'https://docs.svc.test/auth.md',
  })
  return facts
    .filter(({ name }) => /^key_|^basic_auth$/.test(name))
    .map(({ name, value }) => `${name} ${value}`)
}
const code = (text: string) => `\`\`\`bash\n${text}\n\`\`\``

it.each([
  ['a beginning', 'Keys begin with `vk_live_`.', ['key_form vk_live_']],
  [
    'two of them',
    'API keys start with `vk_live_` or `vk_test_`.',
    ['key_form vk_live_', 'key_form vk_test_'],
  ],
  ['a prefix', 'Every token is prefixed with `pat-`.', ['key_form pat-']],
  [
    'a table of prefixes',
    '| Prefix | Mode |\n| --- | --- |\n| `vk_test_` | test |',
    ['key_form vk_test_'],
  ],
  ['hexadecimal digits', 'A key is 32 hex characters.', ['key_form 32 hex']],
  [
    'a sample in a command',
    code('curl -H "Authorization: Bearer vk_your_key" x'),
    ['key_example vk_'],
  ],
  ['a sample that is nobody’s', code('curl -H "Authorization: Bearer your_api_key" x'), []],
  ['a token of a ceremony', code('{"claim_token": "clm_..."}'), []],
  ['a beginning of something else', 'Webhook ids begin with `wh_`.', []],
  ['Bearer, which is no key', 'The header of a key starts with `Bearer`.', []],
])('how a key looks: %s', (_what, text, expected) => {
  expect(said(text)).toEqual(expected)
})

it.each([
  ['a shell', code('export VENDOR_API_KEY=…\ncurl -H "X-Key: $VENDOR_API_KEY" x')],
  ['a program', code('new Vendor(process.env.VENDOR_API_KEY)')],
  ['a sentence', 'Set `VENDOR_API_KEY` in your environment.'],
])('the name of a variable in %s', (_where, text) => {
  expect(said(text)).toContain('key_env VENDOR_API_KEY')
})

it('no name that only stands for a value', () => {
  expect(said(code('export YOUR_API_KEY=1; echo $ACCESS_TOKEN $ADMIN_TOKEN'))).toEqual([])
})

it.each([
  ['curl -u $VENDOR_KEY: https://api.svc.test/v1/me', '<key>:'],
  ['curl -u "api:$VENDOR_KEY" https://api.svc.test/v1/me', 'api:<key>'],
  ['curl --user <account>:<secret> https://api.svc.test/v1/me', '<user>:<key>'],
  ['Authorization: Basic base64(<email>:<api_key>)', '<user>:<key>'],
])('Basic in code: %s', (text, expected) => {
  expect(said(code(text))).toContain(`basic_auth ${expected}`)
})

it.each([
  ['Use HTTP Basic with your API key as the username and an empty password.', '<key>:'],
  ['With Basic authentication the username is `api` and the API key as the password.', 'api:<key>'],
])('Basic in words: %s', (text, expected) => {
  expect(said(text)).toContain(`basic_auth ${expected}`)
})

it('what a request carries beside the key, and nothing that is no credential', () => {
  const request = [
    'GET /v1/me',
    'X-Api-Key: <your key>',
    'X-App-Id: <application id>',
    'X-App-Secret: $SECRET',
    'X-Request-Id: <uuid>',
    'Content-Type: application/json',
  ].join('\n')
  const beside = said(code(request)).filter((one) => one.startsWith('key_beside'))
  expect(beside).toEqual(['key_beside X-App-Id', 'key_beside X-App-Secret'])
})

it('two ways of one key are no two values', () => {
  const ways = code('curl -H "Authorization: Bearer <key>" x\n\ncurl -H "X-Api-Key: <key>" x')
  expect(said(ways)).toEqual([])
})
