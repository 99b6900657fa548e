import { z } from 'zod'
import { mockCallbackConfigSchema, mockPasswordConfigSchema } from './mock.ts'
import { oidcConnectorConfigSchema } from './oidc-config.ts'

const connectorTypes = {
  oidc: { schema: oidcConnectorConfigSchema },
  mockCallback: { schema: mockCallbackConfigSchema },
  mockPassword: { schema: mockPasswordConfigSchema },
}

const required = (name: string) => z.string(`a connector needs \`${name}\``).min(1, 'must not be empty')
const common = { id: required('id'), name: required('name') }

/** One entry of `connectors:`, told apart by `type`. */
export const connectorConfigSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('oidc'), ...common, config: connectorTypes.oidc.schema }),
    z.strictObject({ type: z.literal('mockCallback'), ...common, config: connectorTypes.mockCallback.schema }),
    z.strictObject({ type: z.literal('mockPassword'), ...common, config: connectorTypes.mockPassword.schema }),
  ],
  {
    error: ({ input }) =>
      `unknown type \`${(input as { type?: unknown } | undefined)?.type}\` (known: ${Object.keys(connectorTypes).join(', ')})`,
  },
)
export type ConnectorConfig = z.output<typeof connectorConfigSchema>
