/** SQLSTATEs of a server that is going, coming, or full; and of a connection that broke. */
const SQL_STATES = new Set(['57P01', '57P02', '57P03', '53300', '08000', '08003', '08006'])
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE'])

/** Whether the database cannot be reached just now, rather than refusing what it was asked. It may pass. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const code = codeOf(error)
  if (code !== undefined) return SQL_STATES.has(code) || NETWORK.has(code)
  return error instanceof Error && CONNECTION_ENDED.test(error.message)
}

/**
 * The driver's own ends of a connection carry no code. The last is what it says of each question after that, a
 * roll-back too, and so what is heard of a commit whose answer was lost.
 */
const CONNECTION_ENDED =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Client .* is not queryable)/

/** Several addresses of one name fail together: the first one's reason stands for all. */
export function codeOf(failure: unknown): string | undefined {
  if (failure instanceof AggregateError) return codeOf(failure.errors[0])
  if (failure instanceof Error && 'code' in failure && typeof failure.code === 'string') return failure.code
  return undefined
}
