"""The window: the only package that draws.

    theme          colors, sizes, fonts, icons; every number of the look
    main_window    the edges and which page stands in the middle
    keys           one action per line of the keyboard in force; keys_page changes them
    palette        finds everything there is to do by a few letters

Pictures, from disk to paint:

    frames         decoded ahead in a thread pool to the exact device pixels, within a byte budget
    originals      pixels of originals, read by the pipeline's processes, put among the frames
    sheet          where tiles lie, by arithmetic; tiles draws one, grid is the widget
    sight          what the loupe looks at: where it lies, which pixels; placing is its arithmetic
    loupe          one photo; loupe_painter draws it, caption the line below, held knows keys down
    filmstrip      the list in one row
    inspector      all there is to know of a photo; why is the machine's part, near its thumbnails
    pencil         a person's marks: glyphs, stars, the strike stroke

No view decodes, asks the catalog for a list, or keeps state of its own that another view needs:
all of that is the session's, and its signals say what to draw again.
"""
