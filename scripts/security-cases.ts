/** One hostile input, or a family of them, and the tests that stand for it. */
export interface SecurityCase {
  readonly what: string
  /** `<path below packages, or from apps on>: <part of the test's full name>`; each must have passed. */
  readonly tests: readonly string[]
  /** Why no test stands for it yet. */
  readonly missing?: string
}

const url = 'core/src/net/url.test.ts'
const address = 'core/src/net/address.test.ts'
const guarded = 'core/src/net/guarded-fetch.test.ts'
const redirects = 'core/src/net/redirects.test.ts'
const body = 'core/src/net/guarded-body.test.ts'
const json = 'core/src/net/json.test.ts'
const transport = 'core/src/node/transport.test.ts'
const web = 'core/src/net/web-transport.test.ts'
const identity = 'core/src/discovery/identity.test.ts'
const metadata = 'core/src/discovery/metadata.test.ts'
const hostile = 'core/src/discovery/markdown/hostile.test.ts'
const read = 'core/src/discovery/markdown/read.test.ts'
const audience = 'core/src/use/audience.test.ts'
const redactor = 'core/src/use/redactor.test.ts'
const streams = 'core/src/use/redactor-stream.test.ts'
const unseen = 'core/src/use/redactor-unseen.test.ts'
const discover = 'core/test/discover.test.ts'
const changes = 'core/test/changes.test.ts'
const alike = 'core/test/look-alike.test.ts'
const uses = 'core/test/use-requests.test.ts'
const answers = 'core/test/use-answers.test.ts'
const captured = 'core/test/secrets-in-answers.test.ts'
const faults = 'core/test/telnyx-faults.test.ts'
const fetches = 'core/test/fetch.test.ts'
const leaving = 'core/test/fetch-redirects.test.ts'
const mcp = 'core/test/mcp-hostile.test.ts'
const intake = 'core/test/intake.test.ts'
const handed = 'core/test/intake-answers.test.ts'
const browser = 'core/test/intake-browser.test.ts'
const panel = 'apps/console/test/console.test.ts'
const panelBrowser = 'apps/console/test/browser.test.ts'
const pasted = 'core/src/people/pasted-key.test.ts'
const typed = 'core/src/people/typed-code.test.ts'
const codes = 'core/test/codes.test.ts'
const ledger = 'core/test/consent-ledger.test.ts'
const decided = 'core/test/consent-and-side-channels.test.ts'
const rules = 'core/src/consent/policy.test.ts'
const policy = 'core/test/policy.test.ts'
const cooling = 'core/test/cooling-off.test.ts'
const files = 'core/src/node/file-store.test.ts'
const rotation = 'core/src/node/file-store-rotation.test.ts'
const damage = 'core/test/damage.test.ts'
const rows = 'core/src/vault/sealed.test.ts'
const sinks = 'canary/test/sinks.test.ts'
const render = 'core/src/tools/render.test.ts'

const adapters = ['ai-sdk', 'langchain', 'mastra']

/** A scenario that each adapter runs in its framework. */
const everywhere = (name: string) =>
  adapters.map((adapter) => `${adapter}/test/scenarios.test.ts: ${name}`)

/** By section, in the order of the table. */
export const securityCases: Readonly<Record<string, readonly SecurityCase[]>> = {
  Addresses: [
    {
      what: 'Metadata services of clouds, by address and by name',
      tests: [
        `${url}: refuses where http://169.254.169.254/`,
        `${url}: metadata.google.internal`,
        `${url}: [fd00:ec2::254]`,
      ],
    },
    {
      what: 'Loopback and unspecified addresses, unless the application allowed loopback and the start was loopback too',
      tests: [
        `${guarded}: opens nothing for a refused address`,
        `${guarded}: opens nothing on loopback where the start was elsewhere`,
        `${url}: needs both for loopback`,
        `${url}: opens nothing but loopback`,
      ],
    },
    {
      what: 'Loopback written as one number, in hex, in octal, or short',
      tests: [
        `${url}: https://2130706433/`,
        `${url}: https://0x7f.1/`,
        `${url}: https://0177.0.0.1/`,
        `${url}: https://127.1/`,
        `${guarded}: opens nothing for a refused address`,
      ],
    },
    {
      what: 'IPv6 forms that carry a private IPv4 address (mapped, NAT64, 6to4, Teredo)',
      tests: [
        `${address}: refuses ::ffff:10.0.0.1`,
        `${address}: refuses 64:ff9b::a00:1`,
        `${address}: refuses 2002:a00:1::`,
        `${address}: refuses 2001:0:4136`,
      ],
    },
    {
      what: 'Private, shared, reserved, link-local, unique-local and multicast ranges',
      tests: [
        `${address}: refuses 10.0.0.1`,
        `${address}: refuses 172.16.0.1`,
        `${address}: refuses 192.168.1.1`,
        `${address}: refuses 100.64.0.1`,
        `${address}: refuses 192.0.0.1`,
        `${address}: refuses 198.18.0.1`,
        `${address}: refuses 224.0.0.1`,
        `${address}: refuses 240.0.0.1`,
        `${address}: refuses fe80::1`,
        `${address}: refuses fc00::1`,
        `${address}: refuses ff02::1`,
      ],
    },
    {
      what: 'A name with a public and a private address',
      tests: [
        `${transport}: resolves to a public and a private address is refused`,
        `${transport}: of several addresses each is checked`,
      ],
    },
    {
      what: 'A name that is answered differently the second time (rebinding)',
      tests: [
        `${transport}: the address that was checked is the one connected to`,
        `${transport}: never leads to the second`,
        `${transport}: made with loopback allowed is closed to a request without`,
      ],
    },
    {
      what: 'Redirects to a refused address, to http, to another scheme or origin',
      tests: [
        `${redirects}: 302 to a refused address is refused`,
        `${redirects}: 303 to a refused`,
        `${redirects}: 307 to a refused`,
        `${redirects}: 308 to a refused`,
        `${redirects}: 307 to http:, file:, data:, gopher:`,
        `${redirects}: from https to http is refused on loopback too`,
        `${redirects}: 302 to another origin is refused by default`,
      ],
    },
    {
      what: 'A credential or a body on its way to another origin',
      tests: [
        `${redirects}: no credential crosses an origin`,
        `${redirects}: 307 never carries a body`,
        `${redirects}: does not come back with a second redirect`,
      ],
    },
    {
      what: 'Thirty hops, and a loop',
      tests: [`${redirects}: 30 hops end after the fifth`, `${redirects}: a loop ends at once`],
    },
    {
      what: 'URLs that read otherwise than they are: userinfo, backslash, fragment, encoded dot, look-alike letters, final dot',
      tests: [
        `${url}: refuses https://user:pass@svc.test/ as a URL`,
        `${url}: as the URL standard does`,
        `${url}: shows hosts in punycode`,
        `${url}: compares origins`,
      ],
    },
    {
      what: 'Ports of other protocols, named by a document',
      tests: [
        `${identity}: a port for mail`,
        `${identity}: a port for shells`,
        `${identity}: a port of a cache`,
        `${identity}: a port of a database`,
        `${url}: refuses where https://svc.test:6379/`,
      ],
    },
    {
      what: 'Bodies without end, with 10 GiB declared, at a byte a second; gzip bombs; huge headers; two content lengths',
      tests: [
        `${body}: a body that never ends`,
        `${body}: 10 GiB declared`,
        `${body}: 1 byte a second`,
        `${body}: a gzip bomb`,
        `${body}: a 50 MB header`,
        `${body}: two content lengths`,
        `${body}: the limit is 1 MiB`,
      ],
    },
    {
      what: 'JSON under another type, with a byte order mark, in UTF-16 or broken UTF-8, with doubled or dangerous keys, too deep, with numbers that are none',
      tests: [
        `${body}: JSON sent as text/html`,
        `${body}: reads UTF-8 with BOM`,
        `${body}: reads UTF-16LE with BOM`,
        `${body}: reads invalid UTF-8`,
        `${json}: duplicate keys`,
        `${json}: touches no prototype`,
        `${json}: depth 10,000`,
        `${json}: refuses "NaN"`,
      ],
    },
    {
      what: 'A runtime that cannot see addresses: only the origin of the start, unless somebody vouches for its fetch',
      tests: [
        `${web}: without a voucher speaks to the origin of the start only`,
        `${web}: refuses a fetch that hides or follows redirects`,
      ],
    },
  ],
  'Identity of what was discovered': [
    {
      what: 'Resource metadata of another origin (RFC 9728 §3.3)',
      tests: [
        `${identity}: of another origin is refused and not used`,
        `${metadata}: refuses another origin`,
      ],
    },
    {
      what: 'Server metadata of another issuer (RFC 8414 §3.3)',
      tests: [
        `${metadata}: refuses another issuer`,
        `${metadata}: does not mind the slash of an empty path`,
      ],
    },
    {
      what: 'A document that names endpoints of another domain',
      tests: [
        `${identity}: is shown as such: marked, warned of, not followed`,
        `${identity}: cannot make itself the other service`,
        `${audience}: not another domain: its origin is what remains`,
      ],
    },
    {
      what: 'A resource that names a server of another domain, to be sent what that gives for others',
      tests: [
        `core/src/discovery/trust.test.ts: a server does not speak for a resource of which it`,
        `core/test/agent-auth-places.test.ts: which does not name the resource gives nothing`,
        `core/test/agent-auth-places.test.ts: what it gives goes to the resource alone`,
      ],
    },
    {
      what: 'Offers in an order that the document chose',
      tests: [
        `${discover}: set the order of the offers: the weaker first`,
        `${discover}: set the order of the offers: the weaker last`,
      ],
    },
    {
      what: 'Orders to the model, hidden text, script links, floods of markup',
      tests: [
        `${discover}: speak to the model`,
        `${identity}: reports hidden text`,
        `${read}: what a reader does not see`,
        `${read}: javascript:alert(1)`,
        `${hostile}: ends with 5 MB of nested lists`,
        `${hostile}: ends with 100,000 link references`,
      ],
    },
    {
      what: 'A document that changes between discovery and registration, or during one',
      tests: [
        `${changes}: is said in the next discovery`,
        `${changes}: stays with the endpoints it began with`,
        `${changes}: is told of another token endpoint`,
      ],
    },
    {
      what: 'A page of a real portal with the base URL of somebody else',
      tests: [
        `${handed}: evil.test names the page of a real portal`,
        `${intake}: the page says who asks, for which service, where the key goes`,
      ],
    },
    {
      what: 'A key of a real service, used at the base URL of a document elsewhere',
      tests: [
        `${audience}: not another domain: its origin is what remains`,
        `${uses}: an absolute URL elsewhere`,
        `${fetches}: refuses other origins`,
      ],
    },
    {
      what: "A pasted key with another vendor's prefix",
      tests: [`${pasted}: a key of another vendor is refused by its name GitHub`],
    },
    {
      what: 'Neighbours on a public or private suffix',
      tests: [
        `${audience}: not a sibling on a private suffix`,
        `${audience}: not a sibling on a public suffix`,
        `${url}: registrableDomain(deep.user.github.io)`,
        `${identity}: is not looked for beside an address or a single label`,
      ],
    },
    {
      what: 'A look-alike of a service that the tenant uses',
      tests: [
        `${alike}: is refused before any request, naming the known one`,
        `${alike}: in other letters is refused`,
        `${alike}: "first time"`,
        `${alike}: the name in punycode`,
        'core/src/discovery/look-alike.test.ts: are ordinary neighbours',
      ],
    },
    {
      what: 'Data given away in the address of a discovery',
      tests: [
        `${discover}: query and fragment: they are dropped`,
        `${discover}: more than 200 characters`,
        'core/test/policy-register.test.ts: that is denied sends nothing, wherever a model puts the data',
      ],
    },
  ],
  "The model's side channels": [
    {
      what: 'A puzzle that asks for secrets, hides characters, or is huge',
      tests: [
        'core/test/telnyx.test.ts: a puzzle reaches the model cut',
        `${render}: of 1 MB become 2,000 characters`,
      ],
    },
    {
      what: 'Headers outside the list, and other ways to change the method',
      tests: [`${uses}: the header "X-HTTP-Method-Override"`],
    },
    {
      what: 'Paths that lead out of the audience in disguise',
      tests: [
        `${uses}: the path "/v2evil"`,
        `${uses}: the path "/v2/..%2fadmin"`,
        `${audience}: is read in more than one way`,
      ],
    },
    {
      what: 'Approvals and owners that the model writes itself',
      tests: [
        `${uses}: fields that a model has no business with`,
        'core/src/tools/tools.test.ts: have no field in which a model could choose',
        ...everywhere('hostile: a model that says it was approved'),
      ],
    },
    {
      what: 'Mounted tools that give orders, change, or call themselves harmless',
      tests: [
        `${mcp}: a description with orders and hidden characters`,
        `${mcp}: the tool that changed is refused`,
        `${mcp}: hints of the server waive nothing`,
      ],
    },
    {
      what: 'Ordinary answers stay as they are',
      tests: [`${unseen}: ordinary answers, all of them different, are unaltered`],
    },
  ],
  Secrets: [
    {
      what: 'A key that the service echoes, in any encoding, torn over chunks, in a JWT',
      tests: [
        `${answers}: are taken out in every encoding`,
        `${answers}: are taken out of headers and errors`,
        `${captured}: of another credential of the owner is taken out`,
        `${captured}: of a credential that is being revoked is taken out`,
        `${captured}: of a registration that is under way is taken out`,
        `${captured}: is taken out of every field of a stream of events, of headers and of locations`,
        `${faults}: a refusal that quotes the session is told and stored without it`,
        `${streams}: torn at every place, also within a character`,
        `${streams}: at its three offsets, torn at every place`,
        `${streams}: of two secrets of which one begins the other`,
        `${streams}: what stands in the place of a secret resembles no value`,
        `${redactor}: however the text is cut into chunks`,
        `${redactor}: a JWT whose claim holds the secret`,
        `${redactor}: base64 of a longer text`,
      ],
    },
    {
      what: 'A new secret in an answer',
      tests: [
        `${answers}: that are new go into the vault`,
        `${answers}: that are many are all taken out`,
        `${captured}: is stored before anything else is written`,
        `${captured}: is a credential of the same audience at most`,
        `${captured}: makes one record, however often`,
        `${captured}: that cannot be stored leaves the outcome uncertain`,
        `${captured}: that is stored is not called lost`,
        `${captured}: is not made of what only looks random`,
        `${captured}: that the end of an answer cuts off`,
      ],
    },
    {
      what: 'Headers that carry credentials, and places for secrets in bodies',
      tests: [
        `${uses}: the header "Authorization"`,
        `${uses}: the header "cookie"`,
        `${uses}: the header "X-Api-Key"`,
        `${uses}: the header "Host"`,
        `${uses}: the header "Proxy-Authorization"`,
        `${uses}: {"method":"POST","json":{"key":"{{secret}}"}}`,
        `${uses}: templates that are not ours stay as they are`,
      ],
    },
    {
      what: 'Paths that resolve elsewhere, and redirects that lead there',
      tests: [
        `${uses}: the path "//evil.test/x"`,
        `${uses}: the path "/..//evil"`,
        `${uses}: the path "/v2/%2e%2e/admin"`,
        `${uses}: an absolute URL elsewhere`,
        `${leaving}: a redirect outside is the answer for the model`,
        `${leaving}: what has left once comes back unsigned`,
        `${leaving}: redirects that are refused with the credential in their address`,
        `${leaving}: is answered by the redirect where its body would have to go along`,
      ],
    },
    {
      what: 'Line ends, NUL and floods in header values and credentials',
      tests: [
        `${uses}: the header value "a\\r\\nx-evil: 1"`,
        `${uses}: the header value "a\\u0000b"`,
        `${uses}: the header value "xxx`,
        'core/test/import.test.ts: what is no key is refused, nothing stored and nothing quoted',
      ],
    },
    {
      what: 'Every way of printing, and all that a framework keeps or traces',
      tests: [
        'core/src/vault/secret.test.ts: no way of printing shows the value',
        `${sinks}: what is only printed, only copied, only serialised`,
        `${sinks}: outcomes, errors, causes and tool texts of core`,
        `${sinks}: console.table`,
        `${sinks}: a checkpoint that a test hands over`,
        `${sinks}: a snapshot that a test hands over`,
        `${sinks}: a span that a test hands over`,
        ...everywhere('secrets: nothing that the framework holds'),
        ...adapters.map((one) => `${one}/test/spans.test.ts: and no span has a secret`),
      ],
    },
    {
      what: 'Records copied, swapped, flipped, without their key, or from the future',
      tests: [
        `${files}: a record copied to another owner`,
        `${damage}: another owner's file in its place: store_damaged`,
        `${damage}: renamed to another handle: store_damaged`,
        `${rows}: two rows swapped`,
        `${files}: every flipped byte`,
        `${damage}: a flipped ciphertext: store_damaged`,
        `${files}: another key is refused`,
        `${damage}: without the key, or with another one, nothing is read`,
        `${damage}: a key half-way changed: store_wrong_key`,
        `${rotation}: resealing is killed again and again`,
        `${files}: a file from a newer version`,
        `${damage}: a value from a future version: store_version`,
      ],
    },
  ],
  Consent: [
    {
      what: 'Approvals made up, used twice, for something else, for another owner, too late, or before a restart',
      tests: [
        ...everywhere('hostile: an approval that the client made up'),
        ...everywhere('hostile: the same answer twice'),
        `${ledger}: a used consent is not decided or used again`,
        ...everywhere('hostile: arguments altered after the answer'),
        `${ledger}: is another action`,
        `${decided}: an approval counts neither for other arguments, another service nor another owner`,
        ...everywhere("hostile: another owner's yes"),
        `${ledger}: another owner can neither see it nor decide it`,
        ...everywhere('hostile: an answer that came too late'),
        `${ledger}: end after 15 minutes`,
        `${decided}: an approval given before a restart counts once`,
        'ai-sdk/test/process.test.ts: agreed to in other processes',
        'langchain/test/process.test.ts: agreed to in another process',
        'mastra/test/process.test.ts: is asked about in one process and answered in another',
      ],
    },
    {
      what: 'Two pauses with answers swapped; answers that are false, 0, empty or missing',
      tests: [
        `${decided}: two questions open at once are matched by their ids`,
        ...everywhere('hostile: an answer to one of two questions'),
        'langchain/test/works.test.ts: decisions are found by their ids',
        'langchain/test/works.test.ts: one is approved, the other not',
        `${decided}: is none and the question stays open, while false is a no`,
      ],
    },
    {
      what: 'A no, and twenty more tries',
      tests: [
        `${cooling}: after a no the same call is refused 20 times`,
        `${cooling}: after a no 20 proposals of other addresses`,
        `${cooling}: after a no a fresh registration of the same service`,
        `${cooling}: three noes to requests that differ`,
        `${cooling}: a no binds neither another owner`,
        ...everywhere('hostile: a no, and the model tries again'),
      ],
    },
    {
      what: 'A policy that is to decide more than it may',
      tests: [
        `${rules}: what no rule can allow is asked`,
        `${rules}: revoking is spoken of only by a rule that names it`,
        `${policy}: is not sent and nobody is asked, whatever the model or a person says`,
        `${policy}: is not sent under an approval from before the policy`,
        `${policy}: is not sent where the person said no to it`,
        'core/test/policy-register.test.ts: asks once the text says something else',
        'core/test/policy-register.test.ts: asks for an address that the model proposed',
      ],
    },
    {
      what: 'A code typed with spaces, dashes, in lower case or full-width digits',
      tests: [
        `${typed}: a code is normalised as its alphabet allows`,
        `${typed}: a sentence is taken if exactly one code is in it`,
        `${typed}: anything else is refused with what is wrong, and is not quoted`,
        `${codes}: on the page, in full-width digits`,
        `${codes}: refused on the page before anything is sent or stored`,
      ],
    },
  ],
  'Intake page': [
    {
      what: 'Another Host or Origin, no token, an old or used one, the wrong method, a thousand guesses, a megabyte',
      tests: [
        `${intake}: refused, and nothing taken another Host`,
        `${intake}: another Origin`,
        `${intake}: a form without the token`,
        `${intake}: after success: page, form and link are gone`,
        `${intake}: when it expires`,
        `${intake}: GET of the form`,
        `${intake}: after ten guesses, of a thousand at once`,
        `${intake}: a megabyte`,
        `${intake}: a link holds 256 bits`,
      ],
    },
    {
      what: 'Frames, caches, history, referrers, third parties',
      tests: [
        `${intake}: every answer is kept out of caches, frames and other sites`,
        `${intake}: behind https the cookie is Secure`,
        `${browser}: another site can neither send its form nor frame the page`,
      ],
    },
    {
      what: 'A paste with more around it, or of something else',
      tests: [
        `${pasted}: what was surely pasted along is taken off`,
        `${pasted}: what is no key is refused with the rule, never quoted`,
        `${handed}: a wrong paste`,
      ],
    },
  ],
  Console: [
    {
      what: 'Another Host or Origin, no token, one of another form, session or person, the wrong method, a megabyte',
      tests: [
        `${panel}: decides nothing another Host`,
        `${panel}: decides nothing another Origin`,
        `${panel}: without the token of this very form and of this session`,
        `${panel}: a form is one person’s: with the cookie of another it is not taken`,
        `${panel}: GET, HEAD, another method, another word, a megabyte`,
      ],
    },
    {
      what: 'A link that others open, use twice, at once or too late; a session that is stolen, left alone or known before',
      tests: [
        `${panel}: opening a link signs nobody in, as chats do with it`,
        `${panel}: one of two who use a link at once gets it`,
        `${panel}: is another secret than the link, ends the one before, and is for no script`,
        `${panel}: ends when nobody did anything, though the page asked for what is new`,
        `${panel}: ends after eight hours, whatever was done`,
        `${panelBrowser}: sign-in by a link that works once; sign-out leaves nothing behind`,
      ],
    },
    {
      what: 'Two people at once; somebody who knows the address of what is not theirs; nobody that the proxy knows',
      tests: [
        `${panelBrowser}: two people at once see and decide their own things alone`,
        `${panel}: somebody else, though they know the address`,
        `${panel}: who is identified is let in, and nobody else`,
      ],
    },
    {
      what: 'Frames, caches, referrers, third parties; markup and hidden characters in what services and agents say',
      tests: [
        `${panel}: every answer is kept out of caches, frames and other sites`,
        `${panel}: a service and an agent write nothing but text into a page`,
      ],
    },
  ],
}
