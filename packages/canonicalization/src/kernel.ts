import { kernelCode } from './kernel-code.ts';

/** The part of WebAssembly that is used here: Node has it, and its type declarations do not. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** All take offsets into the memory; see `kernel/kernel.wat`. */
  readonly relax: (start: number, end: number) => number;
  readonly watch: (start: number, end: number) => void;
  readonly fields: (start: number, end: number, table: number, tableEnd: number) => number;
  readonly relaxField: (
    out: number,
    start: number,
    colon: number,
    end: number,
    gapStart: number,
    gapEnd: number,
  ) => number;
  readonly tags: (start: number, end: number, table: number, tableEnd: number) => number;
  readonly base64: (out: number, start: number, end: number) => number;
}

/**
 * The vectorized loops of `kernel/kernel.wat`, and the memory they work in. One for the process: a call leaves nothing in
 * it that another one needs, so that all canonicalizers share it. The octets of a portion go to `portionAt`; those
 * held back from the one before, four at most, right before it.
 */
export interface Kernel extends Omit<KernelExports, 'memory'> {
  readonly memory: Buffer;
  /** The numbers of 32 bits from `tableAt` on. */
  readonly table: Int32Array;
}

/** What the kernel found, as it wrote it into its table. Only valid until it looks for something else. */
export interface Places {
  readonly offsets: Int32Array;
  /** How many offsets there are. */
  readonly length: number;
  /** Subtract this from an offset. */
  readonly base: number;
}

/** Where it says whether the last call of `relax`, `watch` or `fields` saw a CR or LF that stands alone. */
const bareAt = 2112;
/** Where a portion begins in the memory: behind the tables of the kernel and what is carried over. */
export const portionAt = 4096;
/** Octets of the largest portion. */
export const maxPortion = 128 * 1024;
/** What makes a result beside what it reads has half a portion for each. */
export const maxRun = maxPortion / 2 - 64;
export const resultAt = portionAt + maxPortion / 2;
/** Where the table of the fields of a header, or of the tags of a list, is. */
export const tableAt = portionAt + maxPortion + 64;

/** Whether the last call of `relax`, `watch` or `fields` saw a CR without LF behind it, or an LF without CR before it. */
export function sawBareLineEnd({ memory }: Kernel): boolean {
  return memory[bareAt] !== 0;
}

let loaded: Kernel | null | undefined;

/**
 * The kernel; null where there is none: Node was started without WebAssembly (`--jitless`) or does not know its relaxed SIMD
 * (before Node 21), or the address space it reserves is not to be had (`ulimit -v`).
 */
export function loadKernel(): Kernel | null {
  if (loaded === undefined) loaded = instantiate();
  return loaded;
}

function instantiate(): Kernel | null {
  if (typeof WebAssembly === 'undefined') return null;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(kernelCode, 'base64')));
    if (!isKernel(exports)) return null;
    const { memory: room, ...functions } = exports;
    const memory = Buffer.from(room.buffer);
    writePackingTable(memory);
    return { ...functions, memory, table: new Int32Array(room.buffer, tableAt) };
  } catch {
    return null;
  }
}

function isKernel(exports: object): exports is KernelExports {
  return ['memory', 'relax', 'watch', 'fields', 'relaxField', 'tags', 'base64'].every((name) => name in exports);
}

/** For each set of eight octets that are dropped, a bit each, the places of those that stay: eight octets an entry. */
function writePackingTable(memory: Uint8Array): void {
  for (let dropped = 0; dropped < 256; dropped++) {
    let to = dropped * 8;
    for (let place = 0; place < 8; place++) if (((dropped >> place) & 1) === 0) memory[to++] = place;
  }
}
