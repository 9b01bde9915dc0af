import { Problem } from '@lockstep/core/problem'
import { ConnectionError, ProblemError } from '@lockstep/sdk/problem-error'
import { CommanderError } from 'commander'
import { bold, dim, red } from './output/style.ts'
import { UsageError } from './usage-error.ts'

/** 0 done, 1 failed, 2 wrong usage. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  return error instanceof UsageError ? 2 : 1
}

interface Failure {
  readonly what: string
  readonly code?: string
  readonly detail?: string | undefined
  /** Where, and what is wrong there. */
  readonly faults?: readonly { readonly pointer: string; readonly detail: string }[]
  readonly remedy?: string | undefined
  readonly docs?: string | undefined
}

/** Tells on stderr what went wrong, where, what to do, and where to read more. */
export function printFailure(error: unknown, { json }: { json: boolean }): void {
  // Commander has told it already.
  if (error instanceof CommanderError) return
  const failure = failureOf(error)
  process.stderr.write(json ? `${JSON.stringify({ error: failure })}\n` : render(failure))
}

function failureOf(error: unknown): Failure {
  if (error instanceof ProblemError || error instanceof Problem) {
    const docs = error instanceof ProblemError && error.type.startsWith('http') ? error.type : undefined
    const { title, code, detail, faults } = error
    return { what: title, code, detail, faults, remedy: remedies[code], docs }
  }
  if (error instanceof ConnectionError) {
    const remedy =
      error.reason === 'unreachable'
        ? 'Is the service running? `npm start` starts one here; --url or LOCKSTEP_URL names another.'
        : 'Try again: repeating a command is safe.'
    return { what: error.message, code: error.reason, remedy }
  }
  if (error instanceof UsageError) return { what: error.message, code: 'usage', remedy: error.remedy }
  if (error instanceof Error) {
    // What cannot start says by itself what to do about it.
    const { remedy } = error as { remedy?: unknown }
    return { what: error.message, remedy: typeof remedy === 'string' ? remedy : undefined }
  }
  return { what: String(error) }
}

/** What a person at a terminal does about it, where that is always the same. */
const remedies: Readonly<Record<string, string>> = {
  unauthorized: 'Give a key with --key or LOCKSTEP_API_KEY. `npm start` writes one to .lockstep/local.json.',
  forbidden: 'Use a key with that scope: `lockstep api-keys create NAME --scope SCOPE`.',
  catalog_invalid: 'Correct the file at the places named; nothing was changed.',
  usage_event_invalid:
    'Correct the events named; their batch was refused whole. Then import the whole file again: what is stored already counts as a duplicate.',
  customer_not_found: '`lockstep customers list` shows who is there.',
  test_clock_backwards: 'Give a later time: a clock only goes forward.',
  test_clock_busy: 'Wait until its advance has ended.',
  provider_unavailable: 'Try again later; nothing is half-done.',
  internal_error: 'Look into the log of the service for this id.',
}

const MOST_FAULTS_SHOWN = 20

function render({ what, code, detail, faults = [], remedy, docs }: Failure): string {
  const lines = [`${red('✗')} ${bold(what)}${code ? dim(`  ${code}`) : ''}`]
  if (detail && detail !== what && faults.length === 0) lines.push(`  ${detail}`)
  for (const { pointer, detail: fault } of faults.slice(0, MOST_FAULTS_SHOWN)) {
    // The only fault is told in full: what was undone, for example, and at which step.
    const isAll = faults.length === 1 && detail?.startsWith(fault)
    lines.push(`  ${pointer}  ${isAll ? detail : fault}`)
  }
  if (faults.length > MOST_FAULTS_SHOWN) lines.push(`  … and ${faults.length - MOST_FAULTS_SHOWN} more`)
  if (remedy) lines.push(`  ${remedy}`)
  if (docs) lines.push(dim(`  ${docs}`))
  return `${lines.join('\n')}\n`
}
