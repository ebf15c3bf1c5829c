export { allowRemote, type Caller, type HttpOptions, type HttpServer, serveHttp } from './http.ts'
export { type AuthServerOptions, createAuthServer } from './server.ts'
export { serveStdio } from './stdio.ts'
