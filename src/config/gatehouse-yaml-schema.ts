import { z } from 'zod'

/** `false`: the part does not run here. Anything else is read by the part itself. */
const section = z.union([z.literal(false), z.record(z.string(), z.unknown())])

/**
 * `gatehouse.yaml`: one file for the whole chain. `publicUrl` alone is the default chain; what a section says is laid
 * over it, in the words of the program the part replaces.
 */
export const gatehouseYamlSchema = z.strictObject({
  /** Origin browsers use: https://platform.example.com */
  publicUrl: z.string().regex(/^https?:\/\/[^/?#\s]+$/, 'must be an origin such as `https://platform.example.com`'),
  /** Directory of the state, relative to this file. */
  data: z.string().min(1).default('./.gatehouse'),
  /** Realms in Keycloak's representation, or `from: realm.json`. */
  realm: z.union([section, z.array(z.record(z.string(), z.unknown()))]).optional(),
  /** Dex's `config.yaml`, or `from:` it. */
  broker: section.optional(),
  /** oauth2-proxy's keys, or `from: oauth2_proxy.cfg`. */
  proxy: section.optional(),
  /** Istio resources and MeshConfig; what is missing is the stock of Kubeflow. */
  gateway: z.strictObject({ files: z.array(z.string()).default([]) }).prefault({}),
  /** Apps with a route of their own. */
  apps: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        prefix: z.string().regex(/^\/.*\/$/, 'must begin and end with `/`'),
        host: z.string().min(1),
        port: z.int().min(1).max(65_535).optional(),
        /** The app signs its users in itself, so both policies let its paths alone. */
        exempt: z.boolean().default(false),
        /** Its client in the realm; its callback is `<prefix>callback`. */
        clientId: z.string().optional(),
      }),
    )
    .default([]),
})

export type GatehouseYaml = z.output<typeof gatehouseYamlSchema>
