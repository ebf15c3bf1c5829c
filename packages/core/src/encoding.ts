/** Bytes to base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += 0x4000) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x4000)))
  }
  return btoa(parts.join('')).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Base64url (padded or not) to bytes. Throws on anything else. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}

/** SHA-256 of a text's UTF-8 bytes, base64url without padding. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return toBase64Url(new Uint8Array(digest))
}

/** HMAC-SHA-256 of a text under a text, base64url without padding. */
export async function hmacSha256(key: string, text: string): Promise<string> {
  const encoder = new TextEncoder()
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', encoder.encode(key), algorithm, false, [
    'sign',
  ])
  const mac = await crypto.subtle.sign(algorithm.name, imported, encoder.encode(text))
  return toBase64Url(new Uint8Array(mac))
}

/** A new random name of 128 bits, base64url, with a readable prefix. */
export function newId(prefix: string): string {
  return `${prefix}_${toBase64Url(crypto.getRandomValues(new Uint8Array(16)))}`
}
