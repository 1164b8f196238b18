import type { Subscription } from '../../domain/plugins.ts'
import { viewerGrant } from '../grant.ts'
import type { Graph } from '../graph.ts'
import { ownedBy } from '../loaders.ts'

export function defineSubscription({ builder, refs, features }: Graph) {
  const Subscription = builder.objectRef<Subscription>('StripeSubscription').implement({
    description: 'What a user or an organization pays for, without what Stripe calls it.',
    fields: (t) => {
      const instant = (name: Instant, description: string) =>
        t.expose(name, { type: 'DateTime', nullable: true, description })
      return {
        id: t.exposeID('id', { description: "Better Auth's own id." }),
        plan: t.exposeString('plan', { description: 'The name of the plan.' }),
        status: t.exposeString('status', { description: '`active` or `trialing`.' }),
        periodStart: instant('periodStart', 'When what was last paid for began.'),
        periodEnd: instant('periodEnd', 'When it ends.'),
        trialStart: instant('trialStart', 'When the trial began; null without one.'),
        trialEnd: instant('trialEnd', 'When the trial ends.'),
        cancelAtPeriodEnd: t.exposeBoolean('cancelAtPeriodEnd', {
          nullable: true,
          description: 'Whether it is not prolonged when the period ends.',
        }),
        cancelAt: instant('cancelAt', 'When it will be canceled, if that was arranged.'),
        canceledAt: instant('canceledAt', 'When somebody asked for it to be canceled.'),
        endedAt: instant('endedAt', 'When it ended.'),
        seats: t.exposeInt('seats', { nullable: true, description: 'For how many people it is.' }),
        billingInterval: t.exposeString('billingInterval', {
          nullable: true,
          description: 'How often it is paid for, for example `month`.',
        }),
      }
    },
  })
  builder.objectField(refs.User, 'subscriptions', (t) =>
    t.field({
      type: [Subscription],
      nullable: true,
      description:
        'What the user pays for and is not over, by plan. For themself alone; null where nothing says which are users’.',
      resolve: async (user, _args, context) => {
        await context.viewer.requireUserField(user, 'subscriptions')
        return subscriptionsOf(context).load(user.id)
      },
    }),
  )
  if (!features.organizations) return
  builder.objectField(refs.Organization, 'subscriptions', (t) =>
    t.field({
      type: [Subscription],
      nullable: true,
      description:
        'What the organization pays for and is not over, by plan. For holders of the creator role; null where nothing says which are organizations’.',
      resolve: async ({ id }, _args, context) => {
        const own = await viewerGrant(id, 'FRESH', context)
        context.viewer.requireOrganizationField('subscriptions', own)
        return subscriptionsOf(context).load(id)
      },
    }),
  )
}

type Instant = Exclude<
  Extract<keyof Subscription, `${string}${'Start' | 'End' | 'At'}`>,
  'cancelAtPeriodEnd'
>

const subscriptionsOf = ownedBy(
  (ownerIds, { subscriptions }) => subscriptions.findByOwnerIds(ownerIds),
  ({ referenceId }) => referenceId,
)
