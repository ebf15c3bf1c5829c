import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose'

/** Signs with an ES256 key of its own, which lives as long as the process. */
export interface Signer {
  jwks(): Promise<JSONWebKeySet>
  /** A JWT with these claims and nothing added. `header` overrides `alg`, `kid` and `typ`. */
  sign(typ: string, claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>
}

export function createSigner(): Signer {
  const kid = randomUUID()
  let pair: ReturnType<typeof generateKeyPair> | undefined
  const keys = () => {
    pair ??= generateKeyPair('ES256')
    return pair
  }
  return {
    async jwks() {
      const jwk = await exportJWK((await keys()).publicKey)
      return { keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] }
    },
    async sign(typ, claims, header = {}) {
      const { privateKey } = await keys()
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid, typ, ...header })
        .sign(privateKey)
    },
  }
}

/** A time as JWTs give it. */
export function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
