import { html } from 'hono/html'
import { assetUrl } from './assets.ts'
import type { Html } from './html.ts'

/** The mark with the platform's name beside it; a link where `href` is given. */
export function brand({ name, assetsPath, href }: { name: string; assetsPath: string; href?: string }): Html {
  const inner = html`<img src="${assetUrl(assetsPath, 'gatehouse.svg')}" alt="" width="32" height="32"><span>${name}</span>`
  return href === undefined
    ? html`<div class="brand">${inner}</div>`
    : html`<a class="brand" href="${href}">${inner}</a>`
}
