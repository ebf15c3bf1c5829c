export { migration } from './migration.ts'
export { type Database, type PostgresStoreOptions, postgresStore } from './postgres-store.ts'
