import { challengeTarget } from './challenge.ts'
import { fileStoreTarget } from './file-store.ts'
import { mailTarget } from './mail.ts'
import { markdownTarget } from './markdown.ts'
import { metadataTarget } from './metadata.ts'
import { methodsTarget } from './methods.ts'
import { redactorTarget } from './redactor.ts'
import type { Target } from './target.ts'
import { tokenAnswersTarget } from './token-answers.ts'
import { unseenTarget } from './unseen.ts'
import { usePathTarget } from './use-path.ts'

export const targets: readonly Target[] = [
  challengeTarget,
  markdownTarget,
  metadataTarget,
  mailTarget,
  redactorTarget,
  usePathTarget,
  fileStoreTarget,
  methodsTarget,
  tokenAnswersTarget,
  unseenTarget,
]
