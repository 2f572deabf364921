"""Text in photos: found on the proxy, read on the original, as lines with their places.

The networks are PP-OCRv5 of the extra `text`, run by OpenCV in worker processes. They know Latin
letters, digits, Chinese and Japanese; what they read is data, never markup, path or query::

    found = find(proxy_rgb)              # where lines of text are
    lines = read(found, scale, rgb)      # what they say, on the original's pixels
"""
