export { type Console, type ConsoleOptions, createConsole, type SignInLink } from './console.ts'
export type { ConsolePerson } from './person.ts'
