export type { Chat, ChatOptions, Driver, Mode, Move, Turn } from './driver.ts'
export { runScenarios } from './run.ts'
export type { World } from './world.ts'
