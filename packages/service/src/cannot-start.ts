/**
 * Why the service cannot start, in words for the person who starts it: what is wrong and what to do.
 * Printed as it stands, without a stack, so it names no password.
 */
export class CannotStart extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CannotStart'
    this.remedy = remedy
  }
}
