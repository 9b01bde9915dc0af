import type { ProblemDocument } from '@lockstep/api/problems'
import type { Fault, ProblemCode } from '@lockstep/core/problem'

/** Lockstep said no. Decide by `code`; `faults` says what is wrong with the request, and where. */
export class ProblemError extends Error {
  /** One of our codes, or `unexpected_answer` where something in between answered. */
  readonly code: ProblemCode | 'unexpected_answer' | (string & {})
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly faults: readonly Fault[]
  /** The path that was called, or an id to quote. */
  readonly instance: string | undefined
  /** Address of the page about this code. */
  readonly type: string
  readonly retryAfterSeconds: number | undefined

  constructor(document: ProblemDocument, retryAfterSeconds?: number) {
    super(messageOf(document))
    this.name = 'ProblemError'
    this.code = document.code
    this.status = document.status
    this.title = document.title
    this.detail = document.detail
    this.faults = document.errors ?? []
    this.instance = document.instance
    this.type = document.type
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** What a log or a terminal shows of it: with the first fault, and where it is, unless the detail says so itself. */
function messageOf({ title, detail, errors: [first, ...others] = [] }: ProblemDocument): string {
  const text = `${title} ${detail}`
  if (!first) return text
  const more = others.length === 0 ? '' : ` And ${others.length} more.`
  const { pointer, detail: fault } = first
  return detail.includes(fault) ? `${text} (${pointer})${more}` : `${text} ${pointer}: ${fault}${more}`
}

/** No answer came: nobody listens, the line broke, or it took too long. What was asked may have been done. */
export class ConnectionError extends Error {
  readonly reason: 'unreachable' | 'timeout'

  constructor(reason: 'unreachable' | 'timeout', message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'ConnectionError'
    this.reason = reason
  }
}

/** Reads a refusal, whoever sent it: a proxy's HTML page becomes an `unexpected_answer`. */
export async function problemOf(response: Response, path: string): Promise<ProblemError> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterSeconds = Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
  const text = await response.text()
  const problem = parseProblem(text)
  return new ProblemError(
    (problem && { ...problem, type: absolute(problem.type, response.url) }) ?? {
      type: 'about:blank',
      title: 'The answer is not one of Lockstep.',
      status: response.status,
      code: 'unexpected_answer',
      detail: `${path} answered ${response.status} ${response.statusText}.`.trim(),
      instance: path,
    },
    retryAfterSeconds,
  )
}

/** The page about a code is the service's own, and `type` is relative to what was called (RFC 9457, section 3.1.1). */
function absolute(type: string, called: string): string {
  return URL.canParse(type, called) ? new URL(type, called).href : type
}

function parseProblem(text: string): ProblemDocument | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { code, title, detail, status } = value as Partial<ProblemDocument>
  const complete =
    typeof code === 'string' &&
    typeof title === 'string' &&
    typeof detail === 'string' &&
    typeof status === 'number'
  return complete ? (value as ProblemDocument) : undefined
}
