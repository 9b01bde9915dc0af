import type {
  CancellationPreview,
  ChangePreview,
  Client,
  ReactivationPreview,
  SubscriptionChange,
} from '@lockstep/sdk'
import { ProblemError } from '@lockstep/sdk/problem-error'

type Subscriptions = Pick<Client, 'subscriptions'>
type Wanted = NonNullable<Parameters<Client['subscriptions']['previewCancel']>[1]>

/**
 * Changes a subscription as somebody was shown and agreed to, and in no other way: the preview's token goes with the
 * change. What went stale while the question stood is shown anew and asked again.
 *
 * @param agree is shown a preview; throws where the answer is no, and nothing is done.
 */
export function changeAsShown(
  { subscriptions }: Subscriptions,
  id: string,
  wanted: SubscriptionChange,
  agree: (preview: ChangePreview) => Promise<void>,
) {
  return asShown(
    () => subscriptions.preview(id, wanted),
    agree,
    (preview) => subscriptions.change(id, { ...wanted, preview }),
  )
}

/** Ends one in the same way. */
export function cancelAsShown(
  { subscriptions }: Subscriptions,
  id: string,
  wanted: Wanted,
  agree: (preview: CancellationPreview) => Promise<void>,
) {
  return asShown(
    () => subscriptions.previewCancel(id, wanted),
    agree,
    (preview) => subscriptions.cancel(id, { ...wanted, preview }),
  )
}

/** Begins anew what is over in the same way. */
export function reactivateAsShown(
  { subscriptions }: Subscriptions,
  id: string,
  wanted: NonNullable<Parameters<Client['subscriptions']['previewReactivate']>[1]>,
  agree: (preview: ReactivationPreview) => Promise<void>,
) {
  return asShown(
    () => subscriptions.previewReactivate(id, wanted),
    agree,
    (preview) => subscriptions.reactivate(id, { ...wanted, preview }),
  )
}

async function asShown<P extends { readonly token: string }, R>(
  show: () => Promise<P>,
  agree: (preview: P) => Promise<void>,
  apply: (token: string) => Promise<R>,
): Promise<R> {
  for (;;) {
    const preview = await show()
    await agree(preview)
    try {
      return await apply(preview.token)
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'preview_stale') throw error
    }
  }
}
