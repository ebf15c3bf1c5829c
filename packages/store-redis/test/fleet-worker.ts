import { MasterKey, sealed } from '@authmd/core'
import { work } from '@authmd/scenarios/fleet-worker'
import { redisStore } from '../src/index.ts'
import { connect } from './server.ts'

const store = redisStore({ client: await connect(), prefix: process.env.FLEET_PREFIX ?? '' })
work(sealed(store, new MasterKey(new Uint8Array(32).fill(7))), Number(process.argv[2]))
