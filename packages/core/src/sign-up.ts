/**
 * What follows when the trial of the sign-up plan ends and nobody has chosen: it is over, goes on on
 * another plan, or is prolonged once.
 */
export type AfterTrial =
  | { readonly policy: 'expire' }
  | { readonly policy: 'moveTo'; readonly plan: string }
  | { readonly policy: 'extend'; readonly days: number }

/** What whoever signs up without choosing a plan gets. */
export interface SignUp {
  readonly plan: string
  readonly afterTrial: AfterTrial
}
