export type { StoreCase, StoreUnderTest } from './store-case.ts'
export { storeCases } from './store-cases.ts'
