import { AuthError } from '../errors.ts'
import type { DamagedRecord, RecordKind, RecordQuery, RecordRef } from './store.ts'

/** Bytes of UTF-8 that a record's value may have. */
const maxValueBytes: number = 4 * 1024 * 1024

/** Bytes of text that `sealed()` makes of the longest value, with room to spare. */
export const maxSealedBytes: number = 6 * 1024 * 1024

/** Every kind of record, in a fixed order. */
export const recordKinds: readonly RecordKind[] = [
  'registration',
  'credential',
  'consent',
  'profile',
  'lease',
  'waiter',
  'meta',
]

const name = /^[A-Za-z0-9_-]{1,128}$/

function invalid(message: string): AuthError {
  return new AuthError('invalid_input', message)
}

/** True for what may be an `owner` or an `id`. */
export function isRecordName(value: unknown): value is string {
  return typeof value === 'string' && name.test(value)
}

/** Checks a reference and returns a copy of its three parts. Throws `AuthError` `invalid_input`. */
export function checkRef(ref: RecordRef): RecordRef {
  const { kind, owner, id } = ref
  if (!recordKinds.includes(kind)) throw invalid('a record has an unknown kind')
  if (!isRecordName(owner)) throw invalid("a record's owner is not an owner key")
  if (!isRecordName(id)) throw invalid("a record's id must match [A-Za-z0-9_-]{1,128}")
  return { kind, owner, id }
}

/** Checks what `put` is given. Throws `AuthError` `invalid_input`. */
export function checkWrite(
  record: { value: string; due?: number | undefined },
  expected: number,
  maxBytes: number = maxValueBytes,
): void {
  if (!Number.isSafeInteger(expected) || expected < 0) throw invalid('expected is no revision')
  const { value, due } = record
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw invalid("a record's value must be well-formed text")
  }
  if (value.length * 3 > maxBytes && new TextEncoder().encode(value).length > maxBytes) {
    throw invalid(`a record's value is longer than ${maxBytes} bytes`)
  }
  if (due !== undefined && !Number.isSafeInteger(due)) {
    throw invalid("a record's due must be whole milliseconds")
  }
}

/** Checks a query and returns its page size. Throws `AuthError` `invalid_input`. */
export function checkQuery(query: RecordQuery): number {
  if (!recordKinds.includes(query.kind)) throw invalid('a query has an unknown kind')
  if (query.owner !== undefined && !isRecordName(query.owner)) {
    throw invalid("a query's owner is not an owner key")
  }
  if (query.after !== undefined && !query.after.split('/').every(isRecordName)) {
    throw invalid("a query's cursor is not one of ours")
  }
  const limit = query.limit ?? 100
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 1000) {
    throw invalid("a query's limit must be 1 to 1000")
  }
  return limit
}

/** Checks a lease's name and duration. Throws `AuthError` `invalid_input`. */
export function checkLease(leaseName: string, ms: number): void {
  if (typeof leaseName !== 'string' || leaseName === '' || leaseName.length > 1024) {
    throw invalid("a lease's name must have 1 to 1024 characters")
  }
  if (!Number.isSafeInteger(ms) || ms < 1)
    throw invalid('a lease lasts a whole millisecond or more')
}

/** The error of a writer that came second. */
export function conflict(ref: RecordRef): AuthError {
  return new AuthError('store_conflict', `another writer changed this ${ref.kind} first`, {
    details: { kind: ref.kind, id: ref.id },
  })
}

/** True for the error of a writer that came second. */
export function isConflict(error: unknown): boolean {
  return AuthError.isInstance(error) && error.code === 'store_conflict'
}

/** Names a record that cannot be read. Any other error is thrown on: the record may be sound. */
export function damagedRecord(ref: RecordRef, error: unknown): DamagedRecord {
  if (AuthError.isInstance(error)) {
    const { code } = error
    if (code === 'store_damaged' || code === 'store_wrong_key' || code === 'store_version') {
      return { ...ref, code }
    }
  }
  throw error
}
