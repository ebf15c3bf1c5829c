import { sha256 } from '../encoding.ts'
import type { Json } from '../methods/method.ts'
import { type Owner, ownerKey } from '../owner.ts'
import { compareAndSet } from '../vault/compare-and-set.ts'
import { pagesOf } from '../vault/pages.ts'
import type { RecordRef, Store } from '../vault/store.ts'

/** What a registration left behind so that the next one at the service needs no model. Plain JSON, no secret. */
export interface Recipe {
  readonly version: 1
  readonly service: string
  readonly method: string
  /** The method's own business. */
  readonly steps: Json
}

/** The recipes of owners, each with its own; and those that the application gave for all. */
export class Recipes {
  readonly #store: Store
  readonly #given: readonly Recipe[]

  constructor(store: Store, given: readonly Recipe[] = []) {
    this.#store = store
    this.#given = given.filter(({ version }) => version === 1)
  }

  /** What a method may go by; the owner's own before one that was given. */
  async find(owner: Owner, service: string, method: string): Promise<Json | undefined> {
    const record = await this.#store.get(await refOf(owner, service, method))
    const own = record === undefined ? undefined : read(record.value)
    const given = this.#given.find((one) => one.service === service && one.method === method)
    return (own ?? given)?.steps
  }

  async keep(owner: Owner, service: string, method: string, steps: Json): Promise<void> {
    const ref = await refOf(owner, service, method)
    const recipe: Recipe = { version: 1, service, method, steps }
    const value = JSON.stringify(recipe)
    await compareAndSet(async () => {
      const record = await this.#store.get(ref)
      if (record?.value === value) return
      await this.#store.put({ ...ref, value }, record?.revision ?? 0)
    })
  }

  /** All of an owner's own. */
  async list(owner: Owner): Promise<readonly Recipe[]> {
    const found: Recipe[] = []
    const query = { kind: 'meta', owner: await ownerKey(owner) } as const
    for await (const { records } of pagesOf(this.#store, query)) {
      for (const { id, value } of records) {
        const recipe = id.startsWith(idPrefix) ? read(value) : undefined
        if (recipe) found.push(recipe)
      }
    }
    return found
  }
}

const idPrefix = 'recipe_'

/** A recipe of another version is none. */
function read(text: string): Recipe | undefined {
  const recipe = JSON.parse(text) as Recipe
  return recipe.version === 1 ? recipe : undefined
}

async function refOf(owner: Owner, service: string, method: string): Promise<RecordRef> {
  const id = `${idPrefix}${(await sha256(JSON.stringify([service, method]))).slice(0, 22)}`
  return { kind: 'meta', owner: await ownerKey(owner), id }
}
