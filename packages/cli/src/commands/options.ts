import type { Command } from 'commander'

/** The options of the commands that may ask a person or wait. */
export function asking(command: Command): Command {
  return command
    .option(
      '--approve <digest>',
      'agree to the one action with this digest, as an earlier run printed it',
    )
    .option(
      '--wait <seconds>',
      'wait so long for what goes on by itself (600 on a terminal, else 0)',
    )
}

export function answering(command: Command): Command {
  return asking(command).option('--answer <text>', "answer to the service's puzzle")
}

/** Examples at the end of a command's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    ['\nExamples:', ...lines.map((one) => `  $ ${one}`)].join('\n'),
  )
}

/** An option that may come several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
