import type { ChangePreview, Client, SubscriptionChange } from '@lockstep/sdk'
import { ProblemError } from '@lockstep/sdk/problem-error'

/**
 * Changes a subscription as somebody was shown and agreed to, and in no other way: the preview's token goes with the
 * change. What went stale while the question stood is shown anew and asked again.
 *
 * @param agree is shown a preview; throws where the answer is no, and nothing is done.
 */
export async function changeAsShown(
  { subscriptions }: Pick<Client, 'subscriptions'>,
  id: string,
  wanted: SubscriptionChange,
  agree: (preview: ChangePreview) => Promise<void>,
) {
  for (;;) {
    const preview = await subscriptions.preview(id, wanted)
    await agree(preview)
    try {
      return await subscriptions.change(id, { ...wanted, preview: preview.token })
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'preview_stale') throw error
    }
  }
}
