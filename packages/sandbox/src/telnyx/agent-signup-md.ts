import type { Telnyx } from './state.ts'

/** The page on programmatic registration. */
export function agentSignupMd({
  urls,
  terms,
  options,
}: Pick<Telnyx, 'urls' | 'terms' | 'options'>): string {
  const work = options.proofOfWork !== undefined
  const { api, portal } = urls
  return `# Agent signup

Four requests and one mail take an agent from nothing to an API key. The endpoints of steps 1, 2 and 3 are public: send no credential with them.

## Before you begin

Signing up accepts the [terms and conditions](${terms.terms}) and the [privacy policy](${terms.privacy}) on somebody's behalf. Ask that person first.

## 1. Get a challenge

${work ? workPart(api, terms) : puzzlePart(api, terms)}
## 2. Sign up

\`\`\`http
POST ${api}/v2/bot_signup
Content-Type: application/json

{
  ${
    work
      ? `"pow_nonce": "the nonce",
  "pow_solution": 12345,`
      : `"bot_challenge_nonce": "the nonce",
  "bot_challenge_answer": "your answer",`
  }
  "terms_and_conditions_url": "${terms.terms}",
  "privacy_policy_url": "${terms.privacy}",
  "terms_of_service": true,
  "email": "agent@company.example"
}
\`\`\`

Both URLs are sent back exactly as the challenge gave them. \`email\` may be left out only where placeholder addresses are allowed.

**European Union:** where the challenge also gives \`terms_and_conditions_eu_url\`, send it back as well, together with \`"terms_of_service_eu": true\`.

The answer is \`{"success": true, "message": "…"}\`, and a mail goes to the address. An address that already has an account gets a sign-in link and no second account.

If the mail does not come:

\`\`\`http
POST ${api}/v2/bot_signup/resend_magic_link
Content-Type: application/json

{ "email": "agent@company.example" }
\`\`\`

Its answer is always the same. There are 60 seconds between two mails, and at most 3 of them.

## 3. Open the link

The mail has the subject "Your Single Use Telnyx Portal sign-in link" and holds an address that begins with \`${api}/v2/bot_sessions?\`. Send one GET to it within 15 minutes:

\`\`\`http
GET ${api}/v2/bot_sessions?…
\`\`\`

Its token is used up by the first request of any kind, so do not look ahead at it. A redirect with \`portal_redirect_token\` may come first. The result is a session token for a short time: \`{"data": {"api_v2_token": "…"}}\`.

## 4. Make an API key

\`\`\`http
POST ${api}/v2/api_keys
Authorization: Bearer <api_v2_token>
Content-Type: application/json

{}
\`\`\`

\`{"data": {"api_key": "KEY…", …}}\` holds the key, which is not shown again: keep it before you do anything else. Keys are listed and deleted by a person at ${portal}/#/app/api-keys.

## Errors

Every error is \`{"errors": [{"code": "…", "title": "…", "detail": "…"}]}\`.

* \`400\` — a field is missing or a URL is not the one that was given; also when the terms are not accepted
* \`422\` — wrong answer, or a nonce that is used or too old. The nonce is spent: get a new challenge
* \`422\` with code \`10027\` — this mail provider is not accepted; take another address
* \`429\` — too many sign-ups from one network address or for one mail domain; \`Retry-After\` says how long to wait
`
}

function puzzlePart(api: string, terms: Telnyx['terms']): string {
  return `\`\`\`http
POST ${api}/v2/bot_challenge
\`\`\`

The body may be left out. \`llm_model_name\`, \`llm_parameter_count\` and \`llm_quantization\` are optional, self-reported, and only to be sent if your person agrees.

\`\`\`json
{
  "data": {
    "nonce": "a UUID",
    "challenge_type": "math, string or binary",
    "problem": "the text of the problem",
    "precision": 2,
    "terms_and_conditions_url": "${terms.terms}",
    "privacy_policy_url": "${terms.privacy}"
  }
}
\`\`\`

The nonce is good for one attempt within 10 minutes. \`precision\` comes with math problems only. Their text may be garbled, with look-alike letters, odd capitals and stray signs; the sentence on rounding at the end is always in the clear. Older servers leave out \`challenge_type\` and \`precision\`.
`
}

function workPart(api: string, terms: Telnyx['terms']): string {
  return `\`\`\`http
POST ${api}/v2/pow_signup_challenge
\`\`\`

\`\`\`json
{
  "data": {
    "nonce": "a text",
    "algorithm": "sha256",
    "leading_zero_bits": 8,
    "terms_and_conditions_url": "${terms.terms}",
    "privacy_policy_url": "${terms.privacy}"
  }
}
\`\`\`

Find an integer such that the SHA-256 of the nonce followed by that integer begins with \`leading_zero_bits\` zero bits. The nonce is good for one attempt within 10 minutes.
`
}
