import { createContext, useContext } from 'react';

/** What the side panel may ask of the list behind it. */
export interface ListNeighbours {
  /** The row before (−1) or after (+1) in the list, if it is loaded. */
  neighbour(id: string, step: 1 | -1): string | null;
}

const none: ListNeighbours = { neighbour: () => null };
const Context = createContext<ListNeighbours>(none);
export const ListProvider = Context.Provider;
export const useListNeighbours = (): ListNeighbours => useContext(Context);
