// A process of an agent that goes the whole way, to be killed on it.
import { wholeWay } from './soak-way.ts'

console.log(JSON.stringify(await wholeWay(JSON.parse(process.argv[2] ?? ''))))
