/** Where people reach the chat. Next sets the port that it listens on. */
export const url: string = process.env.CHAT_URL ?? `http://127.0.0.1:${process.env.PORT ?? 3000}`
