export type { Around, Call, Chat, ChatOptions, Driver, Mode, Move, Step, Turn } from './driver.ts'
export { runScenarios } from './run.ts'
export { type ConnectService, type ServiceClient, serviceMcpCases } from './service-mcp.ts'
export type { World } from './world.ts'
