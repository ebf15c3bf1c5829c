import { runScenarios } from '@authmd/scenarios'
import { driver } from './driver.ts'

runScenarios(driver)
