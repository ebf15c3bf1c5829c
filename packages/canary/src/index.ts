export { Canary, canary, type Finding } from './canary.ts'
export { encodings, holds } from './encodings.ts'
