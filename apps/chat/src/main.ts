// pnpm --filter chat start
import { startChat } from './server.ts'

const { url, sandbox } = await startChat()
console.log(`Chat: ${url}\nThe service is a sandbox of Telnyx at ${sandbox.urls.api}`)
