/**
 * A service's own id as it may stand among our words, which a model reads as ours: undefined where it does not
 * look like one, as a sentence does not.
 */
export function plainId(id: string | undefined): string | undefined {
  return id !== undefined && /^[\w.:~-]{1,128}$/.test(id) ? id : undefined
}
