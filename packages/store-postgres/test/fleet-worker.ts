import { MasterKey, sealed } from '@authmd/core'
import { work } from '@authmd/scenarios/fleet-worker'
import { postgresStore } from '../src/index.ts'
import { pool } from './server.ts'

const store = postgresStore({ pool: pool(4), schema: process.env.FLEET_SCHEMA ?? '' })
work(sealed(store, new MasterKey(new Uint8Array(32).fill(7))), Number(process.argv[2]))
