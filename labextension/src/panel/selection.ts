import { type ISignal, Signal } from '@lumino/signaling';

/** Which job the side panel shows as the one at hand. */
export class Selection {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get id(): string | null {
    return this._id;
  }

  set id(id: string | null) {
    if (id !== this._id) {
      this._id = id;
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _id: string | null = null;
}
