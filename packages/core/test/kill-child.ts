// A process of an agent that goes as far as it gets, to be killed on the way.
import { goAsFar } from './kill-way.ts'

console.log(JSON.stringify(await goAsFar(JSON.parse(process.argv[2] ?? ''))))
