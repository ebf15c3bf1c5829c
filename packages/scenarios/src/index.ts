export type { Around, Call, Chat, ChatOptions, Driver, Mode, Move, Step, Turn } from './driver.ts'
export { runScenarios } from './run.ts'
export type { World } from './world.ts'
