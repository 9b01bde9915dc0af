/** One thing that a working set-up needs. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  /** What was found. */
  readonly detail: string
  /** What to do about it; absent when there is nothing to do. */
  readonly remedy?: string
}

export const fine = (name: string, detail: string): Check => ({ name, ok: true, detail })

export const wrong = (name: string, detail: string, remedy: string): Check => ({
  name,
  ok: false,
  detail,
  remedy,
})

/** For what does not keep the service from running, yet is worth knowing. */
export const hint = (name: string, detail: string, remedy: string): Check => ({
  name,
  ok: true,
  detail,
  remedy,
})
