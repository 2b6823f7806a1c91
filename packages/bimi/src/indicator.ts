/**
 * The indicator: an SVG Tiny PS image, perhaps packed (SVGZ, RFC 6170 §5.2).
 */
import { gunzipSync } from 'node:zlib';
import { validateBimiSvg } from 'mailauth';

/** An indicator, unpacked, or why it is none. */
export type Indicator = { readonly ok: true; readonly svg: Buffer } | { readonly ok: false; readonly problem: string };

/** Elements that act, or bring in something from elsewhere, whatever namespace prefix they stand behind. */
const activeElement =
  /<(?:[\w.-]{1,64}:)?(?:script|handler|listener|animat\w{1,32}|set|discard|image|foreignobject|a|audio|video|iframe|embed|object)[\s/>]/i;
/** An event attribute. */
const eventAttribute = /[\s"']on[a-z]{1,32}\s*=\s*["']/i;
/** A reference that does not stay within the image. */
const outerReference = /[\s"':](?:href|src)\s*=\s*["']?(?![\s"'#])|\burl\(\s*["']?(?![\s"'#])|@import\b/i;

/**
 * Unpacks and validates an indicator of at most `maxBytes` octets. mailauth checks the profile, the title and the shape
 * of the root; it sees scripts and references only as they are commonly written, so that these are looked for here first, as
 * are entity declarations, which its parser would expand.
 */
export function readIndicator(content: Buffer, maxBytes: number): Indicator {
  const svg = unpack(content, maxBytes);
  if (svg === undefined) return { ok: false, problem: 'it cannot be unpacked within the size limit' };
  const text = svg.toString('latin1');
  if (text.includes('<!ENTITY')) return { ok: false, problem: 'it declares entities' };
  if (activeElement.test(text)) return { ok: false, problem: 'it holds an element that does more than draw' };
  if (eventAttribute.test(text)) return { ok: false, problem: 'it holds an event attribute' };
  if (outerReference.test(text)) return { ok: false, problem: 'it refers to something outside itself' };
  try {
    validateBimiSvg(svg);
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : 'it cannot be read' };
  }
  return { ok: true, svg };
}

function unpack(content: Buffer, maxOutputLength: number): Buffer | undefined {
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content;
  try {
    return gunzipSync(content, { maxOutputLength });
  } catch {
    return undefined;
  }
}
