import { authMdCases } from '@authmd/scenarios'
import { driver } from './driver.ts'

authMdCases(driver)
