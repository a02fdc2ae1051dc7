# cmake -DLIST=FILE -DFOLDER=DIR -P links.cmake: in the folder a link to each program of the list
# (name <tab> file, a line a program), and nothing else.
file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
file(STRINGS ${LIST} lines)
foreach(line IN LISTS lines)
  string(REGEX MATCH "^([^\t]+)\t(.+)$" line ${line})
  file(CREATE_LINK ${CMAKE_MATCH_2} ${FOLDER}/${CMAKE_MATCH_1} SYMBOLIC)
endforeach()
