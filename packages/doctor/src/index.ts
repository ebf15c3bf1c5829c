export { type DiagnoseOptions, diagnose, type Subject } from './diagnose.ts'
export {
  type DoctorOptions,
  type DoctorOutput,
  doctor,
  type ExamineOptions,
  examine,
  type FailOn,
  fails,
} from './doctor.ts'
export { renderMarkdown } from './render/markdown.ts'
export { renderTable, type TableOptions } from './render/table.ts'
export type { Asked, Finding, Place, Report, Severity } from './report.ts'
export { type RuleInfo, ruleList } from './rule-list.ts'
