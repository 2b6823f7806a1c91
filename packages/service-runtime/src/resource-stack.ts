/** A resource that could not be closed. */
export interface CloseFailure {
  readonly name: string;
  readonly error: unknown;
}

/**
 * Open resources by name, closed in reverse order of opening.
 *
 * The platform's AsyncDisposableStack closes in the same order; this one also knows names, so that the log can say which
 * resource failed to close or hangs, and one failure never keeps the others open.
 */
export class ResourceStack implements AsyncDisposable {
  #open: { readonly name: string; readonly close: () => unknown }[] = [];
  #closing: string | null = null;
  #closed: Promise<readonly CloseFailure[]> | null = null;

  /** Takes ownership of a resource and hands it back. */
  use<T extends AsyncDisposable | Disposable>(name: string, resource: T): T {
    this.defer(name, () =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    );
    return resource;
  }

  /**
   * Registers what closes a resource.
   *
   * @throws {Error} when the stack is already closed: what is opened now would stay open
   */
  defer(name: string, close: () => unknown): void {
    if (this.#closed !== null) throw new ResourceStackClosedError(name);
    this.#open.push({ name, close });
  }

  /** Name of the resource that is being closed at the moment; `null` when none is. */
  get closing(): string | null {
    return this.#closing;
  }

  /** Closes everything, last opened first, each after the one before it is done. Further calls answer the same promise. */
  close(): Promise<readonly CloseFailure[]> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<readonly CloseFailure[]> {
    const failures: CloseFailure[] = [];
    for (const { name, close } of this.#open.toReversed()) {
      this.#closing = name;
      try {
        await close();
      } catch (error) {
        failures.push({ name, error });
      }
    }
    this.#closing = null;
    this.#open = [];
    return failures;
  }

  /** {@link close}; rejects with an AggregateError when something could not be closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures = await this.close();
    if (failures.length === 0) return;
    throw new AggregateError(
      failures.map((failure) => failure.error),
      `could not close ${failures.map((failure) => failure.name).join(', ')}`,
    );
  }
}

/** A resource was opened while the service was closing. */
export class ResourceStackClosedError extends Error {
  override readonly name = 'ResourceStackClosedError';
  readonly code = 'service.closing';

  constructor(resource: string) {
    super(`${resource} was opened after the service began to close`);
  }
}
