import { toBase64Url } from '../encoding.ts'
import type { Store } from '../vault/store.ts'

/** What a store's own tests tell the cases of it. */
export interface StoreUnderTest {
  /** Another handle on the same records, as another process has it. Each is closed by whoever opened it. */
  readonly open: () => Promise<Store> | Store
  /** How many owners stand in the store at once in the case about many; 10,000 by default. */
  readonly owners?: number
  /** Whose clock ends a lease: the store's server, or each process. */
  readonly leasesEndBy: 'server' | 'process'
}

/** One promise of a store. `run` throws where it does not hold; it leaves nothing that another case sees. */
export interface StoreCase {
  readonly name: string
  run(store: StoreUnderTest): Promise<void>
}

/** A text of 22 characters that nothing else has. */
export function randomName(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(16)))
}
