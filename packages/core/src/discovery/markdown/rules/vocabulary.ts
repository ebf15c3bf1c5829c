/** Words that name a method. */
export const vocabulary: readonly (readonly [string, RegExp])[] = [
  [
    'oauth-authcode',
    /\bauthori[sz]ation[ _-]codes?\b|\bOAuth ?2\.1\b(?! client[- ]credentials)|\bOAuth\b[^.;]{0,40}\bin (?:the|a|their) browser\b|\bPKCE\b|\bOAuth(?: 2\.[01])? web flow\b/gi,
  ],
  ['oauth-dcr', /\bdynamic(?:ally)? (?:client )?regist(?:ration|er)|\bRFC ?7591\b/gi],
  ['device-flow', /\bdevice[ _-](?:authori[sz]ation|code|flow|grant|log-?in)\b/gi],
  ['client-credentials', /\bclient[ _-]credentials (?:grant|flow)\b|\bclient_credentials\b/gi],
  ['anonymous', /\banonymous(?:ly)?(?: (?:registration|provisioning|sign-?up|start))/gi],
  ['anonymous', /\bregistration is (?:\w+(?:,| and|, and) ){0,2}anonymous\b/gi],
  ['anonymous', /\b(?:register|provision(?:ed|ing)?|sign up) anonymously\b/gi],
  ['service_auth', /\bservice_auth\b/gi],
  ['id-jag', /\bid[-_]jag\b/gi],
  ['identity_assertion', /\bidentity_assertion\b/gi],
  [
    'none-required',
    /\bno (?:authentication|auth|credentials?|token)(?: or \w+)? (?:is |are )?(?:\w+ or )?(?:required|needed|necessary)\b|\b(?:anonymous|public|open)(?:,| and|, and) no auth(?:entication)?\b|\bno (?:API )?keys? (?:is |are )?(?:required|needed)\b|\bwithout (?:any |\w+ (?:or|and) )?(?:authentication|credentials)\b|\bdo(?:es)? not (?:require|need) (?:any )?(?:authentication|credentials|OAuth|API keys?|an? (?:key|token|account))\b|\b(?:needs?|requires?|with) no (?:authentication|auth|credentials?|(?:access )?token|(?:API )?key)\b|\b(?:needs?|requires?) no account\b|\b(?:requires?|needs?) no (?:registration|account|sign-?up)(?: and|,| or) no (?:credentials?|keys?|tokens?)\b|\bno (?:registration|account|API key|OAuth)(?:,? (?:or|and|nor) (?:[\w-]+ ){0,3}(?:token|key|credentials?|account))(?: is| are)? (?:required|needed)\b|\bnothing (?:\w+ ){0,3}(?:takes|needs|requires) (?:an? )?(?:API )?(?:keys?|credentials?|authentication|tokens?)\b|\bno endpoint (?:\w+ or )?(?:accepts|needs|requires) (?:API )?(?:keys?|credentials?|authentication|tokens?)\b|\banswers (?:anonymous|unauthenticated) requests\b|\bpublic and unauthenticated\b|\bno hay autenticación\b|\bno requiere autenticación\b|\bnão há autenticação\b|\baucune authentification (?:n['’]est )?(?:requise|nécessaire)|\bkeine (?:Authentifizierung|Anmeldung) (?:erforderlich|nötig|notwendig)|доступ[а-яё]* без (?:аутентификации|авторизации|регистрации)|(?:аутентификация|авторизация)(?: также)? не (?:требуется|нужна)/gi,
  ],
  ['bot-challenge', /\bbot[- ]challenge\b|\bsign-?up by challenge\b/gi],
  [
    'email-verification',
    /\be-?mail[- ]verification\b|\bmail address is (?:confirmed|verified)\b/gi,
  ],
  ['email-otp', /\bverified_email\b/gi],
  ['captcha-challenge', /\bcaptcha\b/gi],
  ['magic-link', /\bmagic[- ]link\b/gi],
  ['x402', /\bx402\b|\bX-PAYMENT\b/gi],
  ['l402-payment', /\bL402\b|\bLSAT (?:token|challenge|macaroon)s?\b/g],
  [
    'mpp-payment',
    /\bMachine Payments? Protocol\b|\bMPP (?:payments?|receipts?|challenges?|flows?)\b|\b(?:Authorization|WWW-Authenticate): Payment\b/g,
  ],
  [
    'wallet-signature',
    /\bSIW[ESX]\b|\b(?:EIP|ERC)-?(?:4361|191)\b|\bCAIP-?122\b|\bpersonal_sign\b|\bwallet[- ]signatures?\b|\bsign[- ]?in with (?:Ethereum|Solana|(?:an?|your|the|their) (?:\w+ )?wallet)\b|\bsign(?:s|ed|ing)? (?:\S+ ){1,8}(?:with|by|using) (?:your|the|an?|its|their) (?:\w+ ){0,2}wallet\b/gi,
  ],
  [
    // Typed data are signed for a payment, too.
    'wallet-signature',
    /\b(?:sign[- ]?in|log[- ]?in|authenticat\w*|challenge|prove)\b[^.;]{0,80}\b(?:EIP|ERC)-?712\b|\b(?:EIP|ERC)-?712\b[^.;]{0,80}\b(?:sign[- ]?in|log[- ]?in|authenticat\w*|challenge|prove)\b/gi,
  ],
]

/** Words for open access that are often said of a part only. */
export const openness: RegExp =
  /\b(?:open to anonymous|works? (?:anonymously|without (?:registering|an account|a key|any key))|access is anonymous|(?:use|uses|using) anonymous access|without (?:an? )?(?:API keys?|accounts?)|no registration (?:is )?(?:required|needed)|(?:are|is) (?:fully |freely |completely )?(?:public|open)(?: to (?:all|everyone|anyone))?)\b/gi
